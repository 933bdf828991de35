//! `node.leftovers`.

use crate::NodeName;
use crate::steps::{NodeTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nothing of Kubernetes is left on the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeLeftovers {
    /// Node, with the service account.
    pub target: NodeTarget,
}

impl StepParams for NodeLeftovers {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
