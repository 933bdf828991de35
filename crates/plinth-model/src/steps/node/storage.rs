//! `node.storage`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{HostPath, NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// containerd's data lives on the larger partition, nothing lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStorage {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Directory with containerd's data before the step.
    pub from: HostPath,
    /// Directory on the larger file system, where the data is after it.
    pub to: HostPath,
}

impl StepParams for NodeStorage {
    // Needs a majority? No. It works on one machine alone, with or without a cluster; lint sees to it that two members never move at once.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Nodes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: true,
        interrupts_member: true,
        once: false,
        undo: Undo::Compensate("The data is moved back, if there is room."),
        expected_s: 300,
        deadline: deadlines::of::NODE_STORAGE,
    };

    fn destroys(&self) -> Option<String> {
        Some(format!("stops containerd and moves {} to {}", self.from, self.to))
    }

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
