//! `kubernetes.control-plane`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// API server, etcd, certificates and the cluster's own pods are well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlane {
    /// Nodes of the control plane and of etcd, with the service account.
    pub targets: Vec<NodeTarget>,
    /// Those of them that are etcd's members.
    pub etcd: Vec<NodeName>,
}

impl StepParams for ControlPlane {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Reads,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Nothing,
        expected_s: 30,
        deadline: deadlines::of::CONTROL_PLANE,
    };
}
