//! `existing.take-over`.

use crate::steps::{Effect, Lane, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cluster is marked as managed from here, the kubeconfig that the site names works, a copy of it is in the state directory (0600), and
/// the site's record says which cluster that is and which nodes it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TakeOver {
    /// The kubeconfig, as the site file names it. It is read and never changed.
    pub file: String,
    /// Version that the server must be of; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Nodes of the site, which must be nodes of the cluster: nobody adds one here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeName>,
}

impl StepParams for TakeOver {
    // Needs a majority? No. It keeps a copy of a file here, asks the API server who it is, and leaves a mark there, which that server refuses
    // by itself without a majority.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate(
            "The copy is removed from the state directory, and the map `plinth-site` from kube-system; the cluster stays as it is.",
        ),
        expected_s: 2,
        deadline: deadlines::of::KUBECONFIG,
    };
}
