//! `kubespray.environment`.

use crate::steps::{KubesprayRelease, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Python environment for that release exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayEnvironment {
    /// Release.
    pub release: KubesprayRelease,
}

impl StepParams for KubesprayEnvironment {
    const READS_ONLY: bool = false;
}
