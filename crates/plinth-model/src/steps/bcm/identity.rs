//! `bcm.identity`.

use crate::Stage;
use crate::steps::{Effect, Lane, Properties, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The head nodes that answer are the ones the inventory came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BcmIdentity {
    /// URL of BCM, as the site file has it: `https://bcm-head-01:8081`.
    pub endpoint: String,
    /// Entity ids of the head nodes.
    pub head_nodes: Vec<String>,
}

impl StepParams for BcmIdentity {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Discovery,
        effect: Effect::Reads,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Nothing,
        expected_s: 2,
        deadline: deadlines::of::BCM_IDENTITY,
    };
}
