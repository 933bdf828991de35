//! `kubernetes.labels`.

use crate::NodeName;
use crate::steps::StepParams;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The node carries these labels and taints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeLabels {
    /// Node.
    pub node: NodeName,
    /// Labels.
    pub labels: IndexMap<String, String>,
    /// Taints, `key=value:Effect`.
    pub taints: Vec<String>,
}

impl StepParams for NodeLabels {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }
}
