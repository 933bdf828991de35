//! `platform.secret`.

use crate::steps::{Effect, Lane, Properties, SecretContent, StepParams};
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
    // Needs a majority? No. The API server itself refuses to write without a majority; nothing can be half made.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 1,
    };
}
