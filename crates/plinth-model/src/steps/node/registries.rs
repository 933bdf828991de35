//! `node.registries`.

use crate::NodeName;
use crate::steps::{Effect, Lane, Mirror, NodeTarget, Properties, RegistryLogin, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Registry mirrors and logins are in place, and the registries answer from the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeRegistries {
    /// Node, with the service account.
    pub target: NodeTarget,
    /// Mirrors.
    pub mirrors: Vec<Mirror>,
    /// The engine writes the mirrors; here they only must answer.
    #[serde(default)]
    pub mirrors_by_engine: bool,
    /// Logins.
    pub logins: Vec<RegistryLogin>,
}

impl StepParams for NodeRegistries {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 5,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
