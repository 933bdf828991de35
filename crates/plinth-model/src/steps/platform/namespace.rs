//! `platform.namespace`.

use crate::steps::{PodSecurity, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The namespace exists with its Pod Security level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Namespace {
    /// Name.
    pub name: String,
    /// Level, for enforce, audit and warn.
    pub pod_security: PodSecurity,
}

impl StepParams for Namespace {
    const READS_ONLY: bool = false;
}
