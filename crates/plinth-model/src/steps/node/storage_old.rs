//! `node.storage-old`.

use crate::NodeName;
use crate::steps::{NodeTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The old copy of containerd's data is gone: the move before it was recorded as done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStorageOld {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Where the data was.
    pub from: String,
    /// Where it is.
    pub to: String,
}

impl StepParams for NodeStorageOld {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
