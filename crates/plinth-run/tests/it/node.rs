//! Clients of nodes that refuse everything.

use super::{Shut, refuse};
use async_trait::async_trait;
use plinth_model::Secret;
use plinth_model::download::DownloadFile;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::steps::{Account, NodeTarget, Preparation};
use plinth_world::node::{
    AccountState, Bootstrap, ControlPlane, HostKey, HostKeyState, Leftovers, NodeAccounts, NodeControlPlane, NodeFiles,
    NodeHostKeys, NodeInspection, NodeLeftovers, NodePreparation, NodeRegistries, NodeStorage, PushFile, Registries,
    StorageState,
};
use plinth_world::{ClientResult, Context};

#[async_trait]
impl NodeHostKeys for Shut {
    async fn host_key(&self, _: &Context, _: &NodeTarget) -> ClientResult<HostKeyState> {
        refuse()
    }

    async fn pin_host_key(&self, _: &Context, _: &NodeTarget, _: &HostKey) -> ClientResult<()> {
        refuse()
    }

    async fn repin_host_key(&self, _: &Context, _: &NodeTarget, _: &HostKey) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl NodeAccounts for Shut {
    async fn account(&self, _: &Context, _: &NodeTarget, _: &Account) -> ClientResult<AccountState> {
        refuse()
    }

    async fn make_account(&self, _: &Context, _: &NodeTarget, _: &Account) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl NodeInspection for Shut {
    async fn facts(&self, _: &Context, _: &NodeTarget, _: &Asked) -> ClientResult<NodeFacts> {
        refuse()
    }
}

#[async_trait]
impl NodeStorage for Shut {
    async fn storage(&self, _: &Context, _: &NodeTarget, _: &str, _: &str) -> ClientResult<StorageState> {
        refuse()
    }

    async fn relocate_storage(&self, _: &Context, _: &NodeTarget, _: &str, _: &str) -> ClientResult<()> {
        refuse()
    }

    async fn remove_old_storage(&self, _: &Context, _: &NodeTarget, _: &str, _: &str) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl NodePreparation for Shut {
    async fn preparation(&self, _: &Context, _: &NodeTarget, _: &Preparation) -> ClientResult<Vec<String>> {
        refuse()
    }

    async fn prepare(&self, _: &Context, _: &NodeTarget, _: &Preparation) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl NodeRegistries for Shut {
    async fn registries(&self, _: &Context, _: &NodeTarget, _: &Registries<'_>) -> ClientResult<Option<Vec<String>>> {
        refuse()
    }

    async fn set_registries(&self, _: &Context, _: &NodeTarget, _: &Registries<'_>) -> ClientResult<()> {
        refuse()
    }
}

#[async_trait]
impl NodeLeftovers for Shut {
    async fn leftovers(&self, _: &Context, _: &NodeTarget) -> ClientResult<Leftovers> {
        Ok(Leftovers::default())
    }

    async fn clear_leftovers(&self, _: &Context, _: &NodeTarget) -> ClientResult<()> {
        Ok(())
    }
}

#[async_trait]
impl NodeControlPlane for Shut {
    async fn bootstrap(&self, _: &Context, _: &NodeTarget) -> ClientResult<Option<Bootstrap>> {
        Ok(None)
    }

    async fn admin_config(&self, _: &Context, _: &NodeTarget) -> ClientResult<Secret> {
        refuse()
    }

    async fn control_plane(&self, _: &Context, _: &NodeTarget) -> ClientResult<ControlPlane> {
        refuse()
    }
}

#[async_trait]
impl NodeFiles for Shut {
    async fn missing_files(
        &self,
        _: &Context,
        _: &NodeTarget,
        _: &str,
        _: &[DownloadFile],
    ) -> ClientResult<Vec<String>> {
        refuse()
    }

    async fn push_file(&self, _: &Context, _: &NodeTarget, _: &PushFile<'_>) -> ClientResult<()> {
        refuse()
    }
}
