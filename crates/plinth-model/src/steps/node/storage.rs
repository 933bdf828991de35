//! `node.storage`.

use crate::NodeName;
use crate::steps::{NodeTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// containerd's data lives on the larger partition, nothing lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStorage {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Where it was.
    pub from: String,
    /// Where it goes.
    pub to: String,
}

impl StepParams for NodeStorage {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
