//! `node.prepare`.

use crate::NodeName;
use crate::steps::{NodeTarget, Preparation, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Kubernetes needs of the node, and the engine does not do itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodePrepare {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// What is wanted.
    pub wanted: Preparation,
}

impl StepParams for NodePrepare {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
