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
    /// Where what reads it looks for it.
    pub namespace: String,
    /// The one that its reader has fixed; unique in the namespace.
    pub name: String,
    /// What it is made from: references and names of certificates, never a value.
    pub content: SecretContent,
    /// Of the secret itself; what looks for it by label finds it. Labels that others gave it stay.
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
        deadline: deadlines::of::KUBE_CALL,
    };
}
