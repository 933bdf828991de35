//! `runai.register`.

use crate::steps::{Effect, Lane, Properties, RunaiTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster is registered exactly once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiRegister {
    /// Control plane.
    pub target: RunaiTarget,
}

impl StepParams for RunaiRegister {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: true,
        expected_s: 5,
    };
}
