//! The node door over SSH: each operation is one script, run by [`Ssh::run`], and one reading of its answers.

use super::Ssh;
use crate::node::{AccountState, HostKey, HostKeyState, NodeDoor, StorageState};
use crate::{Context, DoorError, DoorResult};
use async_trait::async_trait;
use plinth_model::Observed;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::work::{Account, Mirror, NodeTarget, Preparation, RegistryLogin};
use std::sync::Arc;

/// Real nodes.
#[derive(Clone)]
pub struct SshNodes {
    ssh: Arc<Ssh>,
}

impl SshNodes {
    /// The nodes that these connections lead to.
    #[must_use]
    pub const fn new(ssh: Arc<Ssh>) -> Self {
        Self { ssh }
    }
}

/// An operation whose script is not there yet.
fn missing<T>(doing: &str, target: &NodeTarget) -> DoorResult<T> {
    let doing = format!("{doing} on {}", target.node);
    Err(DoorError::permanent("node", doing, "this operation is not in this release", "wait for the next release"))
}

#[async_trait]
impl NodeDoor for SshNodes {
    async fn host_key(&self, ctx: &Context, target: &NodeTarget) -> DoorResult<HostKeyState> {
        self.ssh.host_key(ctx, target).await
    }

    async fn pin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> DoorResult<()> {
        self.ssh.pin_host_key(ctx, target, key).await
    }

    async fn repin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> DoorResult<()> {
        self.ssh.repin_host_key(ctx, target, key).await
    }

    async fn account(&self, _: &Context, target: &NodeTarget, _: &Account) -> DoorResult<AccountState> {
        missing("comparing the account", target)
    }

    async fn make_account(&self, _: &Context, target: &NodeTarget, _: &Account) -> DoorResult<()> {
        missing("making the account", target)
    }

    async fn facts(&self, _: &Context, target: &NodeTarget, _: &Asked) -> DoorResult<NodeFacts> {
        missing("reading facts", target)
    }

    async fn storage(&self, _: &Context, target: &NodeTarget, _: &str, _: &str) -> DoorResult<StorageState> {
        missing("looking at containerd's data", target)
    }

    async fn relocate_storage(&self, _: &Context, target: &NodeTarget, _: &str, _: &str) -> DoorResult<()> {
        missing("moving containerd's data", target)
    }

    async fn remove_old_storage(&self, _: &Context, target: &NodeTarget, _: &str, _: &str) -> DoorResult<()> {
        missing("removing the old copy of containerd's data", target)
    }

    async fn preparation(&self, _: &Context, target: &NodeTarget, _: &Preparation) -> DoorResult<Vec<String>> {
        missing("comparing the preparation", target)
    }

    async fn prepare(&self, _: &Context, target: &NodeTarget, _: &Preparation) -> DoorResult<()> {
        missing("preparing", target)
    }

    async fn registries(
        &self,
        _: &Context,
        target: &NodeTarget,
        _: &[Mirror],
        _: &[RegistryLogin],
    ) -> DoorResult<Observed<Vec<String>>> {
        missing("comparing registries", target)
    }

    async fn set_registries(
        &self,
        _: &Context,
        target: &NodeTarget,
        _: &[Mirror],
        _: &[RegistryLogin],
    ) -> DoorResult<()> {
        missing("writing registries", target)
    }
}
