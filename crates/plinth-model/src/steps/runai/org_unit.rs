//! `runai.org-unit`.

use crate::Stage;
use crate::steps::{Effect, Lane, OrgUnit, Properties, RunaiTarget, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A department, or a project of one, is there with its quota of GPUs. Nothing is ever taken away: one that leaves the site file stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiOrgUnit {
    /// Control plane.
    pub target: RunaiTarget,
    /// What is wanted.
    pub unit: OrgUnit,
}

impl StepParams for RunaiOrgUnit {
    // Needs a majority? No. Only the control plane of Run:ai is asked, and it refuses by itself where it cannot write.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Runai,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate(
            "The quota is set to what it was. What was made stays, with the workloads of people in it; it is removed in Run:ai's own interface.",
        ),
        expected_s: 5,
        deadline: deadlines::of::RUNAI_REGISTER,
    };
}
