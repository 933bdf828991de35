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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Domain;

    /// A table beside the kinds once said it otherwise.
    #[test]
    fn the_reason_of_a_deadline_is_of_that_deadline() {
        let (name, nodes, image) = (Domain::fixed("runai.example.com"), Vec::new(), String::new());
        let dns = Check::Dns { name, address: [10, 0, 0, 8].into(), nodes, image };
        let deadline = AcceptanceCheck { check: dns }.deadline();
        assert_eq!((deadline.seconds, deadline.why), (deadlines::CHECK_PODS, &[deadlines::why::CHECK_PODS][..]));
        let nodes = vec![NodeName::new("n1").unwrap(); 40];
        let network = Check::PodNetwork { nodes, asking: Vec::new(), image: String::new() };
        let deadline = AcceptanceCheck { check: network }.deadline();
        assert_eq!((deadline.seconds, deadline.why.len()), (deadlines::check_pods(40), 2));
        assert!(deadline.moved_by.is_some_and(|what| what.contains("nodes")));
    }
}
