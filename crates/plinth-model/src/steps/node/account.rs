//! `node.account`.

use crate::steps::{Account, Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The service account exists as wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeAccount {
    /// Node, with the first-contact login.
    pub target: NodeTarget,
    /// What it is to be: the same on every node of the site.
    pub account: Account,
}

impl StepParams for NodeAccount {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Nodes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("The account is removed; files that it owns elsewhere stay."),
        expected_s: 3,
        deadline: deadlines::of::NODE_ACCOUNT,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
