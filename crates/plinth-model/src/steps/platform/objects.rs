//! `platform.objects`.

use crate::steps::{Health, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Objects beside a release exist as wanted, and are healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjects {
    /// Component they belong to.
    pub component: String,
    /// Manifests.
    pub objects: Vec<Value>,
    /// What proves that they work.
    pub health: Vec<Health>,
    /// How long they may take, seconds.
    pub timeout_s: u32,
}

impl StepParams for KubeObjects {
    const READS_ONLY: bool = false;
}
