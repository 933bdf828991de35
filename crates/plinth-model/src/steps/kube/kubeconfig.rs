//! `kubernetes.kubeconfig`.

use crate::Stage;
use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kubeconfig that works is in the state directory (0600).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kubeconfig {
    /// Control-plane node it is read from.
    pub target: NodeTarget,
    /// Server address written into it.
    pub server: String,
}

impl StepParams for Kubeconfig {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The file is removed."),
        expected_s: 2,
        deadline: deadlines::of::KUBECONFIG,
    };
}
