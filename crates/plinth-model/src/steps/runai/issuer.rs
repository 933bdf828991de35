//! `runai.issuer`.

use crate::steps::{Effect, Lane, Properties, RunaiTarget, StepParams, Undo, deadlines};
use crate::{ReleaseName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The issuer document names exactly the expected issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiIssuer {
    /// Control plane.
    pub target: RunaiTarget,
    /// The release that installs it; none where plinth does not install it (`runai.controlPlane` names one elsewhere). Whether it is new
    /// decides what a refusal means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseName>,
}

impl StepParams for RunaiIssuer {
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
        deadline: deadlines::of::RUNAI_ISSUER,
    };
}
