//! `node.facts`.

use crate::steps::{Effect, Lane, NodeExpectation, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
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
        stage: Stage::Nodes,
        effect: Effect::Reads,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Nothing,
        expected_s: 3,
        deadline: deadlines::of::NODE_FACTS,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
