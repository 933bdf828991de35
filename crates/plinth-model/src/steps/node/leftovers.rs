//! `node.leftovers`.

use crate::NodeName;
use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nothing of Kubernetes is left on the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeLeftovers {
    /// Node, with the service account.
    pub target: NodeTarget,
}

impl StepParams for NodeLeftovers {
    // Needs a majority? No. What is cleared is no part of a cluster any more; the step refuses where something still runs, so nothing is interrupted.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: true,
        interrupts_member: false,
        once: false,
        expected_s: 10,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
