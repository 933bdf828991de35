//! `node.facts`.

use crate::NodeName;
use crate::steps::{Effect, Lane, NodeExpectation, NodeTarget, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Facts are read with the service account and are good enough; answers the node's storage gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeFacts {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// What it is measured against.
    pub expected: NodeExpectation,
}

impl StepParams for NodeFacts {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Reads,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 3,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
