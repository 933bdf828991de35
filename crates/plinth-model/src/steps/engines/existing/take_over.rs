//! `existing.take-over`.

use crate::steps::{Effect, Lane, Properties, StepParams, Undo, deadlines};
use crate::{Stage, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kubeconfig that the site names works, a copy of it is in the state directory (0600), and the site's record says which cluster that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TakeOver {
    /// The kubeconfig, as the site file names it. It is read and never changed.
    pub file: String,
    /// Version that the server must be of; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

impl StepParams for TakeOver {
    // Needs a majority? No. It keeps a copy of a file here and asks the API server who it is; nothing in the cluster is changed.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("The copy is removed from the state directory; the cluster stays as it is."),
        expected_s: 2,
        deadline_s: deadlines::KUBECONFIG,
    };
}
