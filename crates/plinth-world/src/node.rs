//! The node door: semantic operations on one machine, each one round trip. The real door (SSH) is not in this release.

use crate::{Context, DoorResult};
use async_trait::async_trait;
use plinth_model::Observed;
use plinth_model::work::{Account, Mirror, NodeTarget, RegistryLogin};

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
    /// Presented now.
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
}

/// Facts of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// `Ubuntu 22.04.4 LTS (DGX OS 6.2)`.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// Cores.
    pub cpus: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// GPUs seen on the bus.
    pub gpus: u32,
    /// NVIDIA driver version, if one is loaded.
    pub driver: Option<String>,
    /// Clock offset to ours, milliseconds.
    pub clock_offset_ms: i64,
    /// Free space by path, GiB. Paths asked for; a path that is not there is absent.
    pub free_gib: Vec<(String, u64)>,
    /// Whether the images directory already lives at the larger path.
    pub relocated: bool,
    /// Things that stand in the way: a running docker, Kubernetes remains.
    pub obstacles: Vec<String>,
}

/// Nodes.
#[async_trait]
pub trait NodeDoor: Send + Sync {
    /// Connects far enough to see the host key. A pinned key that differs is **not** an error here: the caller judges.
    async fn host_key(&self, ctx: &Context, target: &NodeTarget) -> DoorResult<HostKeyState>;
    /// Pins the key on first contact. Refuses when another one is pinned.
    async fn pin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> DoorResult<()>;
    /// Compares the account.
    async fn account(&self, ctx: &Context, target: &NodeTarget, account: &Account) -> DoorResult<AccountState>;
    /// Makes the account as wanted. Refuses on a clash, before changing anything.
    async fn make_account(&self, ctx: &Context, target: &NodeTarget, account: &Account) -> DoorResult<()>;
    /// Reads facts; `paths` are the ones whose free space is wanted.
    async fn facts(&self, ctx: &Context, target: &NodeTarget, paths: &[String]) -> DoorResult<NodeFacts>;
    /// Moves containerd's data without losing anything; resumes or rolls back an interrupted move.
    async fn relocate_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> DoorResult<()>;
    /// Differences between wanted and present mirrors and logins, and registries that do not answer; empty when all is well.
    async fn registries(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        mirrors: &[Mirror],
        logins: &[RegistryLogin],
    ) -> DoorResult<Observed<Vec<String>>>;
    /// Writes mirrors and logins.
    async fn set_registries(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        mirrors: &[Mirror],
        logins: &[RegistryLogin],
    ) -> DoorResult<()>;
}
