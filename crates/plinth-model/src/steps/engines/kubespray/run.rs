//! `kubespray.run`.

use crate::Digest;
use crate::steps::{KubesprayRelease, NodeTarget, RunInputs, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// cluster.yml ran to its end on every host, with this release and these files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRun {
    /// Release.
    pub release: KubesprayRelease,
    /// Hosts, as the account reaches them. Each must appear in the final statistics without failure.
    pub targets: Vec<NodeTarget>,
    /// Digest of inventory and variables.
    pub inputs: Digest,
    /// The same in parts, which decide what is run.
    pub parts: RunInputs,
}

impl StepParams for KubesprayRun {
    const READS_ONLY: bool = false;
}
