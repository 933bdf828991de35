//! Effects: what happened to the world, one each, at the moment the real thing could not be taken back.

use super::hardware::{Hardware, Pin};
use indexmap::IndexMap;
use jiff::Timestamp;
use plinth_model::download::DownloadList;
use plinth_model::engine::{Begun, ExistingRecord};
use plinth_model::steps::{Account, Health, OrgUnit, PodSecurity, RunInputs};
use plinth_model::{Digest, NodeName, Values, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One effect. Only ever extended; an unknown one means a newer plinth wrote the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum Effect {
    /// A machine stands in the rack, or its hardware changed. What is installed on it stays.
    MachineInstalled { node: NodeName, hardware: Box<Hardware> },
    /// Its host key was accepted.
    HostKeyPinned { node: NodeName, pin: Pin },
    /// The connection was lost between making the user and authorising its key.
    AccountBegun { node: NodeName, account: Account },
    /// The account is in the desired state.
    AccountMade { node: NodeName, account: Account },
    /// containerd's data moved.
    StorageRelocated { node: NodeName, to: String },
    /// The old copy of that data is gone.
    OldStorageRemoved { node: NodeName },
    /// The node was prepared beside the engine.
    NodePrepared { node: NodeName, digest: Digest },
    /// Mirrors and logins were written.
    RegistriesSet { node: NodeName, digest: Digest },
    /// Kubespray's source was fetched.
    SourceFetched { tag: String, commit: String, tree: String },
    /// Its Python environment was made.
    EnvironmentMade { tag: String, ansible_core: String },
    /// Inventory and variables were written; `names` are the ones that the variables put into the cluster's DNS,
    /// `etcd` the hosts of that group.
    InventoryWritten {
        files: IndexMap<String, Digest>,
        kube_version: Option<String>,
        #[serde(default)]
        names: BTreeMap<String, std::net::Ipv4Addr>,
        #[serde(default)]
        etcd: Vec<String>,
    },
    /// The list of files that the engine needs was kept.
    ListKept { list: DownloadList },
    /// A file was fetched and verified.
    FileFetched { sha256: String },
    /// A file arrived on a node, under this path.
    FilePushed { node: NodeName, path: String, sha256: String },
    /// The play prepared a host: packages, container engine, downloads.
    HostPrepared { node: NodeName },
    /// The play joined a host to the cluster; not Ready before the play ends.
    HostJoined { node: NodeName, version: String },
    /// The play ended well on all hosts; each becomes Ready at its moment.
    PlayFinished { inputs: RunInputs, ready_at: BTreeMap<NodeName, Timestamp> },
    /// A play was begun.
    PlayBegun { begun: Begun },
    /// Hosts left the cluster; with all of them nothing is deployed any more.
    HostsLeft { nodes: Vec<NodeName>, left: Option<RunInputs> },
    /// A cluster of somebody else's, which was there before plinth came.
    ClusterFound { nodes: Vec<NodeName>, version: String },
    /// It was taken over.
    TakenOver { record: ExistingRecord },
    /// The kubeconfig was fetched.
    KubeconfigFetched { server: String },
    /// Labels and taints were set; `dropped` lists keys and names of ours that were taken away.
    NodeLabelled {
        node: NodeName,
        labels: IndexMap<String, String>,
        taints: Vec<String>,
        #[serde(default)]
        dropped: Vec<String>,
    },
    /// A namespace was made, or its level changed.
    NamespaceMade { name: String, level: PodSecurity },
    /// A secret was made or replaced. The digest covers what it is made from and is salted with the seed.
    SecretMade { namespace: String, name: String, class: String, digest: Digest },
    /// Pods that read a secret were restarted.
    ReadersRestarted { namespace: String, secret: String, ready_at: Timestamp },
    /// An object was applied.
    ObjectApplied {
        key: String,
        digest: Digest,
        settled_at: Timestamp,
        #[serde(default)]
        version: Option<Version>,
        /// Its operator does not take it: it stays as it was, and says so.
        #[serde(default)]
        refused: bool,
    },
    /// An object was removed.
    ObjectRemoved { key: String },
    /// A name was put into the cluster's DNS.
    DnsAdded { name: String, address: std::net::Ipv4Addr },
    /// A name of plinth's was taken out of it.
    DnsRemoved { name: String },
    /// Helm began: the release is pending.
    ReleaseBegun { namespace: String, name: String, chart: String, version: Version, component: String },
    /// Helm ended.
    ReleaseEnded { namespace: String, name: String, release: Box<Installed> },
    /// Helm went back to an earlier revision of a release, which works at that time.
    ReleaseRolledBack { namespace: String, name: String, to: u32, healthy_at: Timestamp },
    /// Somebody changed objects of a release: the differences. None: they were put right.
    ObjectsEdited { namespace: String, name: String, lines: Vec<String> },
    /// Helm uninstalled a release.
    ReleaseRemoved { namespace: String, name: String },
    /// The control plane has one more cluster entry.
    ClusterRegistered { uuid: String, name: String },
    /// The control plane goes, with all its entries, departments and projects.
    ControlPlaneLost,
    /// The cluster's credentials were read and kept.
    CredentialsKept { uuid: String },
    /// A department or a project was made, or its quota set.
    OrgUnitSet { unit: OrgUnit },
    /// A made secret was kept; only its name is written down.
    SecretKept { name: String },
    /// A made secret is kept no longer.
    SecretForgotten { name: String },
    /// A fault fired: it is spent for the next run.
    FaultFired { fault: String },
    /// Somebody saw something that depends on this moment, so the world must never stand before it again.
    TimePassed,
}

/// A release as helm left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Installed {
    /// Component name in the catalog.
    pub(crate) component: String,
    /// Last part of the chart's name.
    pub(crate) chart: String,
    /// Chart version.
    pub(crate) version: Version,
    /// Values, secrets as references.
    pub(crate) values: Values,
    /// `deployed` or `failed`.
    pub(crate) status: String,
    /// Counts what helm began, from 1.
    #[serde(default)]
    pub(crate) revision: u32,
    /// Since when it has this status.
    #[serde(default)]
    pub(crate) since: Timestamp,
    /// When its installation began: the last try of it.
    #[serde(default)]
    pub(crate) first_deployed: Timestamp,
    /// When what it installed works; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) healthy_at: Option<Timestamp>,
    /// When it answers from outside: Keycloak of the control plane, the connection of the cluster part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answers_at: Option<Timestamp>,
    /// What the values call the platform's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    /// What its health is told by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) health: Vec<Health>,
}

impl Effect {
    /// Its name in the log.
    pub(crate) fn kind(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.get("effect").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned()
    }
}

impl Effect {
    /// Moments still to come at which something becomes true by itself.
    pub(crate) fn moments(&self) -> Vec<Timestamp> {
        match self {
            Effect::PlayFinished { ready_at, .. } => ready_at.values().copied().collect(),
            Effect::ObjectApplied { settled_at, .. } => vec![*settled_at],
            Effect::ReleaseRolledBack { healthy_at, .. } => vec![*healthy_at],
            Effect::ReleaseEnded { release, .. } => release.healthy_at.into_iter().chain(release.answers_at).collect(),
            _ => Vec::new(),
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Position, from 1.
    pub(crate) seq: u64,
    /// Virtual time.
    pub(crate) at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub(crate) effect: Effect,
}
