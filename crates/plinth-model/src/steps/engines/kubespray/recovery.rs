//! `kubespray.recovery`.

use crate::NodeName;
use crate::steps::{KubesprayRelease, NodeTarget, RunInputs, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Broken members of the control plane are whole again, taken in by those that survived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRecovery {
    /// Release.
    pub release: KubesprayRelease,
    /// All hosts of the inventory, as the account reaches them. Workers need not answer.
    pub targets: Vec<NodeTarget>,
    /// Which are broken.
    pub broken: Vec<NodeName>,
    /// What the cluster is made from when it is whole, in parts.
    pub parts: RunInputs,
}

impl StepParams for KubesprayRecovery {
    const READS_ONLY: bool = false;
}
