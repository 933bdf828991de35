//! `node.account`.

use crate::NodeName;
use crate::steps::{Account, NodeTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The service account exists as wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeAccount {
    /// Node, with the first-contact login.
    pub target: NodeTarget,
    /// Account.
    pub account: Account,
}

impl StepParams for NodeAccount {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
