//! `runai.connected`.

use crate::steps::{Effect, Lane, Properties, RunaiTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster reports to the control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiConnected {
    /// Control plane.
    pub target: RunaiTarget,
}

impl StepParams for RunaiConnected {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Reads,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 120,
    };
}
