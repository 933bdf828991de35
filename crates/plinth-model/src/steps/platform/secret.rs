//! `platform.secret`.

use crate::steps::{SecretContent, StepParams};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The secret exists with this content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeSecret {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Content.
    pub content: SecretContent,
    /// Labels.
    #[serde(default)]
    pub labels: IndexMap<String, String>,
}

impl StepParams for KubeSecret {
    const READS_ONLY: bool = false;
}
