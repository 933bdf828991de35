//! `kubespray.source`.

use crate::steps::{Effect, KubesprayRelease, Lane, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kubespray's source is here and is the pinned one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubespraySource {
    /// Release.
    pub release: KubesprayRelease,
}

impl StepParams for KubespraySource {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 20,
    };
}
