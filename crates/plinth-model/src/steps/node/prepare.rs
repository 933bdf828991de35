//! `node.prepare`.

use crate::NodeName;
use crate::steps::{Effect, Lane, NodeTarget, Preparation, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Kubernetes needs of the node, and the engine does not do itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodePrepare {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// What is wanted.
    pub wanted: Preparation,
}

impl StepParams for NodePrepare {
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
