//! The node client: semantic operations on one machine, each one round trip. The real one is `plinth-ssh`.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::Secret;
use plinth_model::download::DownloadFile;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::steps::{Account, Mirror, NodeTarget, Preparation, RegistryLogin};
use std::path::Path;
use std::time::Duration;

/// A host key as presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// `ssh-ed25519`.
    pub algorithm: String,
    /// `SHA256:...` as OpenSSH prints it.
    pub fingerprint: String,
}

/// What is known of a node's host key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKeyState {
    /// What the node shows now.
    pub presented: HostKey,
    /// Pinned earlier, if any.
    pub pinned: Option<HostKey>,
}

/// How an account compares with the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Nothing of it is there.
    Absent,
    /// Exactly as wanted.
    Same,
    /// Some of it is there; what is missing.
    Partial(Vec<String>),
    /// Name, uid or gid is taken by something else: nothing may be changed.
    Clash(Vec<String>),
    /// Another state directory manages the node: which, and who made it. Nothing may be changed.
    Managed(String),
}

/// Where containerd's data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageState {
    /// At the old place, nothing begun.
    Old,
    /// A move was begun and did not end; how far it came.
    Begun(String),
    /// At the new place, and containerd works. The size of the old copy, MiB, while it is still there.
    New {
        /// Old copy that waits for its removal.
        old_copy_mib: Option<u64>,
    },
}

/// What one node tells of the control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPlane {
    /// Its etcd; none where none is set up.
    pub etcd: Option<Etcd>,
    /// Certificates of Kubernetes and etcd, each file once.
    pub certificates: Vec<CertificateFile>,
    /// What systemd says of kubelet: `active`. Empty where nobody can tell.
    pub kubelet: String,
    /// Whether containerd knows NVIDIA's runtime. None: its configuration could not be read.
    pub nvidia_runtime: Option<bool>,
}

/// etcd, as one of its members sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Etcd {
    /// Members by their name and id, sorted; one that has not started has no name.
    pub members: Vec<EtcdMember>,
    /// What is wrong; empty when the member itself and all that it could ask are healthy.
    pub unhealthy: Vec<String>,
}

/// A member as the member that was asked lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EtcdMember {
    /// Name, empty until it starts.
    pub name: String,
    /// Id, hexadecimal, as etcd's own tools print it.
    pub id: String,
    /// Addresses for the other members.
    pub peers: Vec<String>,
    /// It does not vote yet.
    pub learner: bool,
}

/// A certificate on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFile {
    /// Path on the node.
    pub file: String,
    /// When it stops being valid; of several in the file the first that does.
    pub expires: jiff::Timestamp,
}

/// A cluster that began on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// How long ago its authority was made, by the node's clock.
    pub age: Duration,
    /// kubeadm came to its end.
    pub whole: bool,
    /// Some node of it is Ready, or may have been: a network of pods is configured here.
    pub ready: bool,
}

/// What is left on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Parts of Kubernetes that run.
    pub running: Vec<String>,
    /// Things that are left: `program /usr/local/bin/etcdutl`.
    pub left: Vec<String>,
}

impl Leftovers {
    /// Whether nothing is left.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.running.is_empty() && self.left.is_empty()
    }
}

/// Registries as a node is to know them.
#[derive(Clone, Copy, Debug)]
pub struct Registries<'a> {
    /// Where images come from instead, by registry; empty: from the registries themselves.
    pub mirrors: &'a [Mirror],
    /// The engine writes the mirrors: they only must answer.
    pub mirrors_by_engine: bool,
    /// What containerd signs in with, by registry.
    pub logins: &'a [RegistryLogin],
}

/// A local file on its way to a node. Folder, name and checksum are plain words: they travel as arguments.
#[derive(Clone, Copy, Debug)]
pub struct PushFile<'a> {
    /// Where it is here.
    pub source: &'a Path,
    /// Folder on the node, made if it is not there.
    pub folder: &'a str,
    /// Its name in there.
    pub name: &'a str,
    /// SHA-256 of its content.
    pub sha256: &'a str,
}

/// Host keys: by which a node proves who it is.
#[async_trait]
pub trait NodeHostKeys: Send + Sync {
    /// Connects far enough to see the host key. A pinned key that differs is **not** an error here: the caller judges.
    async fn host_key(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<HostKeyState>;
    /// Pins the key on first contact. Refuses when another one is pinned, or when the node does not present this one.
    async fn pin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()>;
    /// Pins the key whatever was pinned before: the person said that the node was re-imaged.
    async fn repin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()>;
}

/// plinth's account on a node.
#[async_trait]
pub trait NodeAccounts: Send + Sync {
    /// Compares the account.
    async fn account(&self, ctx: &Context, target: &NodeTarget, account: &Account) -> ClientResult<AccountState>;
    /// Makes the account as wanted. Refuses on a clash, before changing anything.
    async fn make_account(&self, ctx: &Context, target: &NodeTarget, account: &Account) -> ClientResult<()>;
}

/// What a node says of itself.
#[async_trait]
pub trait NodeInspection: Send + Sync {
    /// Reads hardware, software and settings in one round trip; changes nothing.
    async fn facts(&self, ctx: &Context, target: &NodeTarget, asked: &Asked) -> ClientResult<NodeFacts>;
}

/// Where containerd's data is on a node.
#[async_trait]
pub trait NodeStorage: Send + Sync {
    /// Where containerd's data is.
    async fn storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<StorageState>;
    /// Moves containerd's data without losing anything; resumes or rolls back an interrupted move. The old copy stays.
    async fn relocate_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()>;
    /// Removes the old copy that [`NodeStorage::relocate_storage`] left. Refuses unless the data is at the new place and works.
    async fn remove_old_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()>;
}

/// What Kubernetes wants of a node before it comes.
#[async_trait]
pub trait NodePreparation: Send + Sync {
    /// Differences between the wanted preparation and what is there; empty when all is well.
    async fn preparation(&self, ctx: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<Vec<String>>;
    /// Brings the operating system to what is wanted, and says what it changed.
    async fn prepare(&self, ctx: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<()>;
}

/// Registries as the containerd of a node knows them.
#[async_trait]
pub trait NodeRegistries: Send + Sync {
    /// Differences between wanted and present mirrors and logins, and registries that do not answer; empty when all is well.
    async fn registries(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        wanted: &Registries<'_>,
    ) -> ClientResult<Option<Vec<String>>>;
    /// Writes mirrors and logins.
    async fn set_registries(&self, ctx: &Context, target: &NodeTarget, wanted: &Registries<'_>) -> ClientResult<()>;
}

/// What is left of an earlier Kubernetes on a node.
#[async_trait]
pub trait NodeLeftovers: Send + Sync {
    /// What is left of Kubernetes.
    async fn leftovers(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Leftovers>;
    /// Clears what is left of Kubernetes. Refuses while a part of it runs.
    async fn clear_leftovers(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<()>;
}

/// The control plane as one of its nodes sees it.
#[async_trait]
pub trait NodeControlPlane: Send + Sync {
    /// How far a cluster came that began on this node; none: it did not begin.
    async fn bootstrap(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Option<Bootstrap>>;
    /// The administrator's kubeconfig of a control-plane node, as Kubernetes wrote it.
    async fn admin_config(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Secret>;
    /// etcd, certificates and kubelet as this node sees them.
    async fn control_plane(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<ControlPlane>;
}

/// Files that are pushed to a node.
#[async_trait]
pub trait NodeFiles: Send + Sync {
    /// Names of those files that are not in a folder of the node with the right content.
    async fn missing_files(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        folder: &str,
        files: &[DownloadFile],
    ) -> ClientResult<Vec<String>>;
    /// Puts a local file on the node, streamed, and goes on where an earlier push stopped. It has its name there only with the
    /// right content. Reports bytes as progress.
    async fn push_file(&self, ctx: &Context, target: &NodeTarget, push: &PushFile<'_>) -> ClientResult<()>;
}

/// Everything that can be done with a node. Whoever needs one noun takes that; this is their sum, for who hands them on.
pub trait NodeClient:
    NodeHostKeys
    + NodeAccounts
    + NodeInspection
    + NodeStorage
    + NodePreparation
    + NodeRegistries
    + NodeLeftovers
    + NodeControlPlane
    + NodeFiles
{
}

impl<T> NodeClient for T where
    T: NodeHostKeys
        + NodeAccounts
        + NodeInspection
        + NodeStorage
        + NodePreparation
        + NodeRegistries
        + NodeLeftovers
        + NodeControlPlane
        + NodeFiles
{
}

/// Nodes whose pinned host keys other programs can be given.
pub trait KnownHosts: NodeHostKeys {
    /// What proves these hosts and the hosts in between, and nothing else, as a known_hosts text.
    ///
    /// # Errors
    /// When a pin cannot be read.
    fn pinned(&self, targets: &[NodeTarget]) -> std::io::Result<String>;
}
