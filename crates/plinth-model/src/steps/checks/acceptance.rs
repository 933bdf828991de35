//! `check`.

use crate::steps::{Check, Effect, Lane, Properties, StepParams, Undo, deadlines};
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
        deadline_s: deadlines::CHECK,
    };

    fn deadline_s(&self) -> u32 {
        match &self.check {
            Check::GpuPod { .. } | Check::GpuSharing { .. } => deadlines::CHECK_GPU,
            Check::PodNetwork { nodes, .. } | Check::Rdma { nodes, .. } => deadlines::check_pods(nodes.len()),
            Check::GpuMetrics { .. } => deadlines::CHECK_MEASURED,
            Check::Storage { .. } => deadlines::CHECK_PODS,
            Check::DnsOut { names, .. } => deadlines::check_names(names.len()),
            Check::Dns { .. } | Check::LoadBalancer { .. } | Check::IngressController { .. } => deadlines::CHECK_PODS,
            Check::Snapshot { .. } | Check::RunaiWorkload { .. } => deadlines::CHECK_SNAPSHOT,
            _ => Self::PROPERTIES.deadline_s,
        }
    }

    fn node(&self) -> Option<&NodeName> {
        self.check.node()
    }
}
