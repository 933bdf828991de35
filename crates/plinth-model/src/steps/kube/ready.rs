//! `kubernetes.ready`.

use crate::steps::{Effect, Lane, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The node is Ready and runs this version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeReady {
    /// Its name at the site and in Kubernetes.
    pub node: NodeName,
    /// Kubernetes version; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

impl StepParams for NodeReady {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Reads,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Nothing,
        expected_s: 60,
        deadline: deadlines::of::NODE_READY,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }
}
