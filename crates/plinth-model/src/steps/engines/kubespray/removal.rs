//! `kubespray.removal`.

use crate::steps::{KubesprayRelease, NodeTarget, Removal, RunInputs, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kubernetes left these hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRemoval {
    /// Release.
    pub release: KubesprayRelease,
    /// All hosts of the inventory, as the account reaches them.
    pub targets: Vec<NodeTarget>,
    /// Which leave.
    pub removal: Removal,
    /// What the written files are, in parts.
    pub parts: RunInputs,
}

impl StepParams for KubesprayRemoval {
    const READS_ONLY: bool = false;
}
