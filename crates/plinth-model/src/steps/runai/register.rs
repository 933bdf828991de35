//! `runai.register`.

use crate::steps::{Effect, Lane, Properties, RunaiTarget, StepParams, Undo, deadlines};
use crate::{ReleaseName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster is registered exactly once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiRegister {
    /// Control plane.
    pub target: RunaiTarget,
    /// The release that installs it; none where it is not installed from here. Whether it is new decides what a refusal means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseName>,
}

impl StepParams for RunaiRegister {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Runai,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: true,
        undo: Undo::OneWay("The entry is removed in the control plane; its identity, projects and history go with it."),
        expected_s: 5,
        deadline_s: deadlines::RUNAI_REGISTER,
    };
}
