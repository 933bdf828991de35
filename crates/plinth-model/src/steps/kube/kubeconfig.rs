//! `kubernetes.kubeconfig`.

use crate::steps::{NodeTarget, StepParams};
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
    const READS_ONLY: bool = false;
}
