//! `kubespray.downloads`.

use crate::steps::{Effect, KubesprayRelease, Lane, Properties, StepParams, Undo, deadlines};
use crate::{Digest, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The files that the engine needs on nodes are here, verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayDownloads {
    /// Its table says which files there are, and what they must be.
    pub release: KubesprayRelease,
    /// Digest of inventory and variables: they decide which files.
    pub inputs: Digest,
    /// Mirror that keeps each file under the host and path of its own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
}

impl StepParams for KubesprayDownloads {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The files are removed."),
        expected_s: 300,
        deadline: deadlines::of::KUBESPRAY_DOWNLOADS,
    };
}
