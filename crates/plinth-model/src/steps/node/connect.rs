//! `node.connect`.

use crate::NodeName;
use crate::steps::{NodeTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// SSH answers, and its host key is pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeConnect {
    /// Node, with the first-contact login.
    pub target: NodeTarget,
}

impl StepParams for NodeConnect {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
