//! `node.registries`.

use crate::steps::{Effect, Lane, Mirror, NodeTarget, Properties, RegistryLogin, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Registry mirrors and logins are in place, and the registries answer from the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeRegistries {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Where images come from instead, by registry; empty: from the registries themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<Mirror>,
    /// The engine writes the mirrors; here they only must answer. Stands in a plan only when it is not so.
    #[serde(default = "super::values::yes", skip_serializing_if = "super::values::is_yes")]
    pub mirrors_by_engine: bool,
    /// What containerd of the node signs in with, by registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logins: Vec<RegistryLogin>,
}

impl StepParams for NodeRegistries {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Nodes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The files are removed."),
        expected_s: 5,
        deadline: deadlines::of::NODE_REGISTRIES,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
