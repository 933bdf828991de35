//! `kubespray.recovery`.

use crate::steps::{
    Effect, HostInputs, KubesprayRelease, Lane, NodeTarget, Properties, RunInputs, StepParams, Undo,
    deadlines::{self, Deadline},
};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Broken members of the control plane are whole again, taken in by those that survived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRecovery {
    /// Whose playbook repairs them; the one that installs.
    pub release: KubesprayRelease,
    /// All hosts of the inventory, as the account reaches them. Workers need not answer.
    pub targets: Vec<NodeTarget>,
    /// Members of the control plane or of etcd that have to be made anew.
    pub broken: Vec<NodeName>,
    /// What the cluster is made from when it is whole, in parts.
    pub parts: RunInputs,
}

impl StepParams for KubesprayRecovery {
    // Needs a majority? No. It is what one does when the majority is gone: one survivor is enough, and the step itself refuses without any.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Exclusive("engine"),
        needs_quorum: false,
        destructive: true,
        interrupts_member: false,
        once: false,
        undo: Undo::OneWay(
            "It cannot be undone: what the broken members had is gone, and without a majority also what only they knew.",
        ),
        expected_s: 900,
        deadline: Deadline { why: deadlines::PLAY, moved_by: deadlines::NODES, ..deadlines::of::KUBESPRAY_RUN },
    };

    fn deadline(&self) -> Deadline {
        Deadline { seconds: deadlines::kubespray_run(self.parts.members().len()), ..Self::PROPERTIES.deadline }
    }

    fn destroys(&self) -> Option<String> {
        let text = "removes what is left of etcd and of the node on these members; without a majority the data of the first survivor counts";
        Some(text.to_owned())
    }

    fn members(&self) -> Vec<&NodeName> {
        self.parts.members()
    }

    fn changes_on(&self, node: &NodeName) -> bool {
        self.parts.hosts.get(node).is_some_and(HostInputs::is_quorum)
    }
}
