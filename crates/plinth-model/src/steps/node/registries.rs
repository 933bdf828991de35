//! `node.registries`.

use crate::NodeName;
use crate::steps::{Mirror, NodeTarget, RegistryLogin, StepParams};
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
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
