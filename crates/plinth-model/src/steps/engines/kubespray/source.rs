//! `kubespray.source`.

use crate::steps::{KubesprayRelease, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kubespray's source is here and is the pinned one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubespraySource {
    /// Release.
    pub release: KubesprayRelease,
}

impl StepParams for KubespraySource {
    const READS_ONLY: bool = false;
}
