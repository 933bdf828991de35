//! `kubespray.removal`.

use crate::steps::{
    Effect, KubesprayRelease, Lane, NodeTarget, Properties, Removal, RunInputs, StepParams, Undo,
    deadlines::{self, Deadline},
};
use crate::{InstalledChange, NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kubernetes left these hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRemoval {
    /// Whose playbook removes; the one that installs.
    pub release: KubesprayRelease,
    /// All hosts of the inventory, as the account reaches them.
    pub targets: Vec<NodeTarget>,
    /// Which hosts it leaves, and whether they answer.
    pub removal: Removal,
    /// What the written files are, in parts.
    pub parts: RunInputs,
}

impl StepParams for KubesprayRemoval {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Exclusive("engine"),
        needs_quorum: true,
        destructive: true,
        interrupts_member: false,
        once: false,
        undo: Undo::OneWay(
            "It cannot be undone: the data of the cluster, or of these workers, is gone. `plinth apply` installs them again.",
        ),
        expected_s: 300,
        deadline: Deadline { why: deadlines::PLAY, moved_by: deadlines::NODES, ..deadlines::of::KUBESPRAY_RUN },
    };

    /// Workers leave through the API, which a majority must serve: they are drained and deleted there. Taking the whole cluster away
    /// ends it, so nothing is left that a majority could decide.
    fn needs_quorum(&self) -> bool {
        match &self.removal {
            Removal::All | Removal::Unprovisioned => false,
            Removal::Nodes { .. } => Self::PROPERTIES.needs_quorum,
        }
    }

    fn deadline(&self) -> Deadline {
        let leaving = self.targets.iter().filter(|target| self.removal.takes(&target.node)).count();
        Deadline { seconds: deadlines::kubespray_run(leaving), ..Self::PROPERTIES.deadline }
    }

    fn destroys(&self) -> Option<String> {
        let text = match &self.removal {
            Removal::All => "removes Kubernetes with everything in it: etcd's data, all workloads, certificates",
            Removal::Unprovisioned => "forgets a cluster that is not on the nodes any more; no node is touched",
            Removal::Nodes { reachable: true, .. } => {
                "drains these workers and removes Kubernetes from them, with the data of their pods"
            }
            Removal::Nodes { reachable: false, .. } => {
                "forgets these workers; what runs on them is not stopped, since they do not answer"
            }
        };
        Some(text.to_owned())
    }

    fn members(&self) -> Vec<&NodeName> {
        self.parts.members()
    }

    fn changes_on(&self, node: &NodeName) -> bool {
        self.removal != Removal::Unprovisioned && self.removal.takes(node) && self.parts.hosts.contains_key(node)
    }

    fn installed(&self) -> Option<InstalledChange> {
        matches!(self.removal, Removal::All | Removal::Unprovisioned).then_some(InstalledChange::Clears)
    }
}
