//! `runai.connected`.

use crate::steps::{RunaiTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster reports to the control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiConnected {
    /// Control plane.
    pub target: RunaiTarget,
}

impl StepParams for RunaiConnected {
    const READS_ONLY: bool = true;
}
