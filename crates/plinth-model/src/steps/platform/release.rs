//! `platform.release`.

use crate::steps::{Release, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The release is deployed with this chart, version and values, and is healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRelease {
    /// Release.
    pub release: Box<Release>,
}

impl StepParams for HelmRelease {
    const READS_ONLY: bool = false;
}
