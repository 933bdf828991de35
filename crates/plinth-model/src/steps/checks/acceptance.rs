//! `check`.

use crate::steps::{
    Check, Effect, Lane, Properties, StepParams, Undo,
    deadlines::{self, Deadline},
};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An acceptance check holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptanceCheck {
    /// What is to be proved, with what it is proved on.
    pub check: Check,
}

impl StepParams for AcceptanceCheck {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Acceptance,
        effect: Effect::Proves,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Nothing,
        expected_s: 30,
        deadline: deadlines::of::CHECK,
    };

    fn deadline(&self) -> Deadline {
        let (seconds, why, moved_by) = match &self.check {
            Check::GpuPod { .. } | Check::GpuSharing { .. } => return deadlines::of::CHECK_GPU,
            Check::GpuMetrics { .. } => return deadlines::of::CHECK_MEASURED,
            Check::Snapshot { .. } | Check::RunaiWorkload { .. } => return deadlines::of::CHECK_SNAPSHOT,
            Check::Dns { .. }
            | Check::LoadBalancer { .. }
            | Check::IngressController { .. }
            | Check::Storage { .. } => {
                return deadlines::of::CHECK_PODS;
            }
            Check::PodNetwork { nodes, .. } | Check::Rdma { nodes, .. } => (
                deadlines::check_pods(nodes.len()),
                &[deadlines::why::CHECK_PODS, deadlines::why::CHECK_PODS_PER_NODE],
                "it grows with the number of nodes that are checked",
            ),
            Check::DnsOut { names, .. } => (
                deadlines::check_names(names.len()),
                &[deadlines::why::CHECK_PODS, deadlines::why::CHECK_PODS_PER_NAME],
                "it grows with the number of names that pods ask for",
            ),
            _ => return Self::PROPERTIES.deadline,
        };
        Deadline { seconds, why, moved_by: Some(moved_by) }
    }

    fn node(&self) -> Option<&NodeName> {
        self.check.node()
    }
}
