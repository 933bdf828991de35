//! `node.downloads`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{Digest, HostPath, NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Those files are on the node, where the engine looks for them before it fetches anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeDownloads {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Where the engine looks before it fetches; the same on every node.
    pub folder: HostPath,
    /// Groups of the node, which decide what it needs.
    pub groups: Vec<String>,
    /// Digest of inventory and variables.
    pub inputs: Digest,
}

impl StepParams for NodeDownloads {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("The folder is removed."),
        expected_s: 60,
        deadline: deadlines::of::NODE_DOWNLOADS,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
