//! `node.leftovers`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
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
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: true,
        interrupts_member: false,
        once: false,
        undo: Undo::OneWay("It cannot be undone: what was left of the cluster's data is gone."),
        expected_s: 10,
        deadline: deadlines::of::NODE_LEFTOVERS,
    };

    fn destroys(&self) -> Option<String> {
        Some("clears what is left of Kubernetes on the node".to_owned())
    }

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
