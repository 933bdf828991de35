//! `node.downloads`.

use crate::steps::{NodeTarget, StepParams};
use crate::{Digest, NodeName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Those files are on the node, where the engine looks for them before it fetches anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeDownloads {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Folder.
    pub folder: String,
    /// Groups of the node, which decide what it needs.
    pub groups: Vec<String>,
    /// Digest of inventory and variables.
    pub inputs: Digest,
}

impl StepParams for NodeDownloads {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
