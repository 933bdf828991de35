//! `kubernetes.gpu-runtime`.

use crate::steps::{NodeTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// containerd knows NVIDIA's runtime wherever the GPU operator's toolkit runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuRuntime {
    /// GPU nodes, with the service account.
    pub targets: Vec<NodeTarget>,
}

impl StepParams for GpuRuntime {
    const READS_ONLY: bool = false;
}
