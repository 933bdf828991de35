//! `node.storage`.

use crate::NodeName;
use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams};
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
    // Needs a majority? No. It works on one machine alone, with or without a cluster; lint sees to it that two members never move at once.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: true,
        interrupts_member: true,
        once: false,
        expected_s: 300,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
