//! `kubespray.run`.

use crate::steps::{
    Effect, KubesprayRelease, Lane, NodeTarget, Properties, RunInputs, StepParams, Undo,
    deadlines::{self, Deadline},
};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// cluster.yml ran to its end on every host, with this release and these files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRun {
    /// Whose cluster.yml runs.
    pub release: KubesprayRelease,
    /// Hosts, as the account reaches them. Each must appear in the final statistics without failure.
    pub targets: Vec<NodeTarget>,
    /// Inventory and variables in parts, which decide what is run.
    pub parts: RunInputs,
    /// Workers of the site that this run leaves alone: they are in none of the parts, and have not left the cluster either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<NodeName>,
    /// Docker is uninstalled where it is: the site says that it may go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removes_docker: bool,
}

impl StepParams for KubesprayRun {
    // Needs a majority? Yes. It makes etcd, or restarts its members one by one: with half of them lost it would build a cluster that cannot decide, or
    // stop the last one that can.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Exclusive("engine"),
        needs_quorum: true,
        destructive: true,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate(
            "Kubespray's reset removes Kubernetes with its data: `plinth reset`, which asks for the site's name. A removed docker does not come back.",
        ),
        expected_s: 900,
        deadline: Deadline { why: deadlines::PLAY, moved_by: deadlines::NODES, ..deadlines::of::KUBESPRAY_RUN },
    };

    fn deadline(&self) -> Deadline {
        Deadline { seconds: deadlines::kubespray_run(self.targets.len()), ..Self::PROPERTIES.deadline }
    }

    fn destroys(&self) -> Option<String> {
        let docker = if self.removes_docker { ", uninstalls docker where it is" } else { "" };
        Some(format!(
            "on every node: installs packages, switches swap off, sets kernel settings, /etc/hosts and iptables rules, restarts \
             containerd and kubelet{docker}"
        ))
    }

    fn members(&self) -> Vec<&NodeName> {
        self.parts.members()
    }

    fn changes_on(&self, node: &NodeName) -> bool {
        self.parts.hosts.contains_key(node)
    }
}
