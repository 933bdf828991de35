//! `kubespray.environment`.

use crate::steps::{Effect, KubesprayRelease, Lane, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Python environment for that release exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayEnvironment {
    /// Release.
    pub release: KubesprayRelease,
}

impl StepParams for KubesprayEnvironment {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 60,
    };
}
