//! `platform.namespace`.

use crate::Stage;
use crate::steps::{Effect, Lane, PodSecurity, Properties, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The namespace exists with its Pod Security level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Namespace {
    /// Unique in the cluster.
    pub name: String,
    /// Level, for enforce, audit and warn.
    pub pod_security: PodSecurity,
}

impl StepParams for Namespace {
    // Needs a majority? No. The API server itself refuses to write without a majority; nothing can be half made.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("Deleting a namespace deletes everything in it."),
        expected_s: 1,
        deadline: deadlines::of::KUBE_CALL,
    };
}
