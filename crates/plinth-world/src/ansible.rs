//! The Ansible door: Kubespray's source, its Python environment, its playbooks.
//!
//! The real door is not in this release.

use crate::{Context, DoorResult};
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::work::KubesprayRelease;
use plinth_model::{Digest, NodeName, Observed};

/// What the last successful run of cluster.yml was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Tag.
    pub tag: String,
    /// Digest of inventory and variables.
    pub inputs: Digest,
    /// Hosts in the final statistics.
    pub hosts: Vec<NodeName>,
}

/// Final statistics of a playbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlayStats {
    /// Per host: ok, changed, failures, unreachable.
    pub hosts: IndexMap<String, HostStats>,
}

/// Statistics of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    /// Tasks ok.
    pub ok: u64,
    /// Tasks that changed something.
    pub changed: u64,
    /// Tasks failed and not ignored.
    pub failures: u64,
    /// Whether it was unreachable.
    pub unreachable: u64,
}

/// Ansible with Kubespray.
#[async_trait]
pub trait AnsibleDoor: Send + Sync {
    /// Commit and tree of the source that is here for the tag.
    async fn source(&self, ctx: &Context, release: &KubesprayRelease) -> DoorResult<Observed<(String, String)>>;
    /// Fetches the source and verifies commit and tree. Harmless to repeat.
    async fn fetch_source(&self, ctx: &Context, release: &KubesprayRelease) -> DoorResult<()>;
    /// ansible-core version of the environment that is here for the release.
    async fn environment(&self, ctx: &Context, release: &KubesprayRelease) -> DoorResult<Observed<String>>;
    /// Makes the environment. Harmless to repeat.
    async fn make_environment(&self, ctx: &Context, release: &KubesprayRelease) -> DoorResult<()>;
    /// Files written so far, name to digest.
    async fn inventory(&self, ctx: &Context) -> DoorResult<IndexMap<String, Digest>>;
    /// Writes inventory and variables atomically.
    async fn write_inventory(&self, ctx: &Context, files: &IndexMap<String, String>) -> DoorResult<()>;
    /// What the last successful run was made with.
    async fn deployed(&self, ctx: &Context) -> DoorResult<Observed<Deployed>>;
    /// Runs cluster.yml with progress. The statistics are returned even when hosts failed: the caller judges. A re-run after
    /// an interruption is the supported way to resume.
    async fn deploy(
        &self,
        ctx: &Context,
        release: &KubesprayRelease,
        hosts: &[NodeName],
        inputs: &Digest,
    ) -> DoorResult<PlayStats>;
}
