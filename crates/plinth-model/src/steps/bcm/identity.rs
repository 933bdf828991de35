//! `bcm.identity`.

use crate::steps::{Effect, Lane, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The head nodes that answer are the ones the inventory came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BcmIdentity {
    /// Endpoint.
    pub endpoint: String,
    /// Entity ids of the head nodes.
    pub head_nodes: Vec<String>,
}

impl StepParams for BcmIdentity {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Reads,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 2,
    };
}
