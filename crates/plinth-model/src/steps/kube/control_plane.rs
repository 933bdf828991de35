//! `kubernetes.control-plane`.

use crate::NodeName;
use crate::steps::{NodeTarget, StepParams};
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
    const READS_ONLY: bool = true;
}
