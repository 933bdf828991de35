//! `runai.connected`.

use crate::Stage;
use crate::steps::{Effect, Lane, Properties, RunaiTarget, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster reports to the control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiConnected {
    /// The control plane that it reports to, and which cluster it is there.
    pub target: RunaiTarget,
    /// Its next report is waited for: the state is what the control plane remembers of the last one, from before a change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub next_report: bool,
}

impl StepParams for RunaiConnected {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Runai,
        effect: Effect::Reads,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Nothing,
        expected_s: 120,
        deadline: deadlines::of::RUNAI_CONNECTED,
    };
}
