//! `kubernetes.labels`.

use crate::steps::{Effect, FreeText, Lane, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The node carries these labels and taints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeLabels {
    /// Its name at the site and in Kubernetes.
    pub node: NodeName,
    /// What the site wants; labels that plinth set before and are not among them go, those of others stay.
    pub labels: IndexMap<String, String>,
    /// Taints, `key=value:Effect`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<String>,
}

impl StepParams for NodeLabels {
    // Needs a majority? No. The API server itself refuses to write without a majority; nothing can be half made.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The labels and taints are removed."),
        expected_s: 1,
        deadline: deadlines::of::KUBE_CALL,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }

    fn free_text(&self) -> Vec<FreeText<'_>> {
        self.labels.iter().map(|(key, value)| FreeText::Value(key, value)).collect()
    }
}
