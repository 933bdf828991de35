//! `node.connect`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
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
    const PROPERTIES: Properties = Properties {
        stage: Stage::Nodes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The pin is removed."),
        expected_s: 2,
        deadline: deadlines::of::NODE_CONNECT,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
