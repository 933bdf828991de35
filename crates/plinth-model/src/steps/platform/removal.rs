//! `platform.removal`.

use crate::installed::{InstalledChange, Parts};
use crate::steps::{Effect, Lane, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// These parts of a component, which plinth installed and the site no longer wants, are gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRemoval {
    /// What goes.
    pub parts: Parts,
    /// How long helm may wait for each release to be gone, seconds.
    pub timeout_s: u32,
}

impl StepParams for ComponentRemoval {
    // Needs a majority? No. The API server itself refuses to write without a majority, and what is gone already is not removed again.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: true,
        interrupts_member: false,
        once: false,
        expected_s: 60,
    };

    fn installed(&self) -> Option<InstalledChange> {
        Some(InstalledChange::Removes(self.parts.clone()))
    }
}
