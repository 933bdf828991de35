//! `kubespray.source`.

use crate::Stage;
use crate::steps::{Effect, KubesprayRelease, Lane, Properties, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kubespray's source is here and is the pinned one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubespraySource {
    /// What is fetched, and the ids that prove it.
    pub release: KubesprayRelease,
}

impl StepParams for KubespraySource {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The local copy is removed."),
        expected_s: 20,
        deadline: deadlines::of::KUBESPRAY_SOURCE,
    };
}
