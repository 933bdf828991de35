//! `runai.issuer`.

use crate::steps::{Effect, Lane, Properties, RunaiTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The issuer document names exactly the expected issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiIssuer {
    /// Control plane.
    pub target: RunaiTarget,
}

impl StepParams for RunaiIssuer {
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
