//! `kubernetes.labels`.

use crate::NodeName;
use crate::steps::{Effect, FreeText, Lane, Properties, StepParams};
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
    // Needs a majority? No. The API server itself refuses to write without a majority; nothing can be half made.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 1,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }

    fn free_text(&self) -> Vec<FreeText<'_>> {
        self.labels.iter().map(|(key, value)| FreeText::Value(key, value)).collect()
    }
}
