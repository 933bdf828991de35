//! `runai.register`.

use crate::steps::{RunaiTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster is registered exactly once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiRegister {
    /// Control plane.
    pub target: RunaiTarget,
}

impl StepParams for RunaiRegister {
    const READS_ONLY: bool = false;
}
