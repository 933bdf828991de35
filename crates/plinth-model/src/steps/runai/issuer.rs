//! `runai.issuer`.

use crate::steps::{RunaiTarget, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The issuer document names exactly the expected issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiIssuer {
    /// Control plane.
    pub target: RunaiTarget,
}

impl StepParams for RunaiIssuer {
    const READS_ONLY: bool = true;
}
