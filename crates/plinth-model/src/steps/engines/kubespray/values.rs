//! Values that the kinds of this area share. What a run of the engine is made from, in the parts that decide which play is the smallest safe one.

use crate::{Digest, NodeName, Version};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of the inventory file below the site's state directory. Ansible reads JSON where it reads YAML, and JSON has no
/// quoting traps.
pub const INVENTORY_FILE: &str = "kubespray/inventory/hosts.json";
/// Name of the variables file, beside the inventory, where Ansible looks for it.
pub const VARIABLES_FILE: &str = "kubespray/inventory/group_vars/all/plinth.json";

/// What a run is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunInputs {
    /// The release that runs.
    pub tag: Version,
    /// The Kubernetes that it installs.
    pub version: Version,
    /// Digest of the variables of the whole cluster, `kube_version` not among them.
    pub variables: Digest,
    /// Every host, in the order of the inventory: order is meaning there.
    pub hosts: IndexMap<NodeName, HostInputs>,
}

/// Which hosts Kubernetes leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "of")]
pub enum Removal {
    /// All of them, with the data of the cluster.
    All,
    /// All of them, where nothing of Kubernetes is on any: what is recorded of the cluster goes, and no node is touched.
    Unprovisioned,
    /// These workers; all others stay.
    Nodes {
        /// Those that leave; none of them is in the control plane or in etcd.
        nodes: Vec<NodeName>,
        /// Whether they answer. If not, they are taken out of the cluster and nothing is done on them.
        reachable: bool,
    },
}

impl Removal {
    /// Whether this host is left.
    #[must_use]
    pub fn takes(&self, host: &NodeName) -> bool {
        match self {
            Removal::All | Removal::Unprovisioned => true,
            Removal::Nodes { nodes, .. } => nodes.contains(host),
        }
    }
}

/// What a run is made from, of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostInputs {
    /// Groups of the inventory that list it, in the order of the inventory.
    pub groups: Vec<String>,
    /// Digest of its variables. How it is reached is not among them, nor are labels and taints: the step
    /// `kubernetes/labels` keeps these up through the API, so that another label needs no playbook.
    pub variables: Digest,
}

impl HostInputs {
    /// Whether a group lists it.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|known| known == group)
    }

    /// Whether it is a worker and nothing else: only such a host joins or leaves without the rest of the cluster.
    #[must_use]
    pub fn is_only_worker(&self) -> bool {
        self.is_in("kube_node") && !self.is_in("kube_control_plane") && !self.is_in("etcd")
    }

    /// Whether losing it counts against a majority.
    #[must_use]
    pub fn is_quorum(&self) -> bool {
        self.is_in("kube_control_plane") || self.is_in("etcd")
    }

    /// Whether Kubernetes knows it as a node.
    #[must_use]
    pub fn is_kubernetes_node(&self) -> bool {
        self.is_in("kube_node") || self.is_in("kube_control_plane")
    }
}

impl RunInputs {
    /// Members of the control plane and of etcd, in the order of the inventory.
    #[must_use]
    pub fn members(&self) -> Vec<&NodeName> {
        self.hosts.iter().filter(|(_, host)| host.is_quorum()).map(|(name, _)| name).collect()
    }

    /// The first host of a group: the one that initialises the cluster, or makes etcd's certificates.
    #[must_use]
    pub fn first_of(&self, group: &str) -> Option<&NodeName> {
        self.hosts.iter().find(|(_, host)| host.is_in(group)).map(|(name, _)| name)
    }
}

/// One release of Kubespray: where it comes from, the ids that prove it, and what it needs here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRelease {
    /// `v2.27.1`.
    pub tag: Version,
    /// Where it comes from: a git address, a tarball or a directory.
    pub source: String,
    /// Commit id that must be found.
    pub commit: String,
    /// Tree id that must be found; recomputable without git history.
    pub tree: String,
    /// Accepted Python versions of the controller: `>=3.10, <3.13`.
    pub python: String,
    /// Accepted ansible-core versions.
    pub ansible_core: String,
    /// Pinned ansible package.
    pub ansible: String,
}
