//! `node.facts`.

use crate::NodeName;
use crate::steps::{NodeExpectation, NodeTarget, StepParams};
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
    const READS_ONLY: bool = true;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
