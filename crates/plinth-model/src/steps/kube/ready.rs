//! `kubernetes.ready`.

use crate::steps::StepParams;
use crate::{NodeName, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The node is Ready and runs this version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeReady {
    /// Node.
    pub node: NodeName,
    /// Kubernetes version; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

impl StepParams for NodeReady {
    const READS_ONLY: bool = true;

    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }
}
