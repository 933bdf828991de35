//! `node.prepare`.

use crate::steps::{Effect, Lane, NodeTarget, Preparation, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Kubernetes needs of the node, and the engine does not do itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodePrepare {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Parts that are empty or false are not looked at.
    pub wanted: Preparation,
}

impl StepParams for NodePrepare {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Nodes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("The files that plinth wrote are removed, and its lines are taken out of /etc/hosts."),
        expected_s: 3,
        deadline: deadlines::of::NODE_PREPARE,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
