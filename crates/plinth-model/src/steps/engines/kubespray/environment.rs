//! `kubespray.environment`.

use crate::Stage;
use crate::steps::{Effect, KubesprayRelease, Lane, Properties, StepParams, Undo, deadlines};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Python environment for that release exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayEnvironment {
    /// Its needs decide the versions of Python and of ansible.
    pub release: KubesprayRelease,
}

impl StepParams for KubesprayEnvironment {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The environment is removed."),
        expected_s: 60,
        deadline: deadlines::of::KUBESPRAY_ENVIRONMENT,
    };
}
