//! `node.storage-old`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{HostPath, NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The old copy of containerd's data is gone: the move before it was recorded as done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStorageOld {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Directory that the data was moved from; its copy goes.
    pub from: HostPath,
    /// Directory where the data is used now.
    pub to: HostPath,
}

impl StepParams for NodeStorageOld {
    // Needs a majority? No. It works on one machine alone. It counts as an interruption since it ends the way back: on two members at once a move that
    // went wrong could not be taken back.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Nodes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: true,
        interrupts_member: true,
        once: false,
        undo: Undo::OneWay("The copy is gone; the data itself is at its new place."),
        expected_s: 20,
        deadline: deadlines::of::NODE_STORAGE_OLD,
    };

    fn destroys(&self) -> Option<String> {
        Some(format!("removes the copy of {} that the move left", self.from))
    }

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
