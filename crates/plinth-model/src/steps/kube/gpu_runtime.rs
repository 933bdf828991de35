//! `kubernetes.gpu-runtime`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
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
    // Needs a majority? No. The API server itself refuses to write without a majority; nothing can be half made.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("The toolkit's pods were started anew, nothing else."),
        expected_s: 30,
        deadline: deadlines::of::GPU_RUNTIME,
    };

    fn changes_on(&self, node: &NodeName) -> bool {
        self.targets.iter().any(|target| target.node == *node)
    }
}
