//! `platform.secret`.

use crate::Stage;
use crate::steps::{Effect, Lane, Properties, SecretContent, StepParams, Undo, deadlines};
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
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The secret is removed."),
        expected_s: 1,
        deadline_s: deadlines::KUBE_CALL,
    };
}
