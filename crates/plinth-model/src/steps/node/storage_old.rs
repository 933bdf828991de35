//! `node.storage-old`.

use crate::NodeName;
use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams};
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
    // Needs a majority? No. It works on one machine alone. It counts as an interruption since it ends the way back: on two members at once a move that
    // went wrong could not be taken back.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: true,
        interrupts_member: true,
        once: false,
        expected_s: 20,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
