//! `node.connect`.

use crate::NodeName;
use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams};
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
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 2,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
