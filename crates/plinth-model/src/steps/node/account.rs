//! `node.account`.

use crate::NodeName;
use crate::steps::{Account, Effect, Lane, NodeTarget, Properties, StepParams};
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
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
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
