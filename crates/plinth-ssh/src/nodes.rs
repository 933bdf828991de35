//! The node client over SSH: each operation is one script, run by [`Ssh::run`], and one reading of its answers.

use crate::frame::Frames;
use crate::key::public_key_line;
use crate::script::Script;
use crate::scripts::{account, birth, control_plane, downloads, facts, leftovers, prepare, registries, storage};
use crate::transport::{Ssh, SshConfig};
use async_trait::async_trait;
use plinth_model::download::DownloadFile;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::steps::{Account, NodeTarget, Preparation, RegistryLogin};
use plinth_model::{Observed, Secret, SecretRef};
use plinth_world::node::{
    AccountState, Birth, ControlPlane, HostKey, HostKeyState, KnownHosts, Leftovers, NodeClient, PushFile, Registries,
    StorageState,
};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context};
use std::sync::Arc;

const DOOR: &str = "node";
/// The finding of a login that cannot become root.
const NO_ROOT: Code = code::NODE_NO_ROOT;

/// Real nodes.
#[derive(Clone)]
pub struct SshNodes {
    ssh: Arc<Ssh>,
    secrets: Arc<dyn Secrets>,
}

impl SshNodes {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(config: SshConfig, secrets: Arc<dyn Secrets>) -> Self {
        Self { ssh: Arc::new(Ssh::new(config, Arc::clone(&secrets))), secrets }
    }

    /// All pins as one known_hosts text, for programs that plinth runs.
    ///
    /// # Errors
    /// When a pin cannot be read.
    pub fn known_hosts(&self) -> std::io::Result<String> {
        self.ssh.known_hosts()
    }

    /// Runs an operation and reads its answers.
    async fn operation<T>(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        script: Script,
        read: impl FnOnce(&Frames) -> Result<T, String>,
    ) -> ClientResult<T> {
        let frames = self.ssh.run(ctx, target, &script).await?;
        read(&frames).map_err(|happened| failed(script.name(), target, self.secrets.redact(&happened)))
    }

    /// The line of our key; none while the key was not made.
    fn public_key(&self, target: &NodeTarget, reference: &SecretRef) -> ClientResult<Option<String>> {
        let secret = match self.secrets.get(reference) {
            Ok(secret) => secret,
            Err(_) if matches!(reference, SecretRef::Generated(_)) => return Ok(None),
            Err(error) => return Err(unusable(target, &error.to_string())),
        };
        public_key_line(secret.expose()).map(Some).map_err(|error| unusable(target, &format!("{reference}: {error}")))
    }

    fn passwords<'a>(
        &self,
        target: &NodeTarget,
        logins: &'a [RegistryLogin],
    ) -> ClientResult<Vec<(&'a RegistryLogin, Secret)>> {
        let fetch = |login: &'a RegistryLogin| {
            let secret = self.secrets.get(&login.password).map_err(|error| unusable(target, &error.to_string()))?;
            Ok((login, secret))
        };
        logins.iter().map(fetch).collect()
    }
}

fn failed(doing: &str, target: &NodeTarget, happened: String) -> ClientError {
    let doing = format!("{doing} on {} ({})", target.node, target.address);
    ClientError::permanent(DOOR, doing, happened, "look at the node, then run again: what is done is found and kept")
}

fn unusable(target: &NodeTarget, happened: &str) -> ClientError {
    let doing = format!("preparing a login for {}", target.node);
    ClientError::permanent(DOOR, doing, happened, "check the secret that the site file names")
}

#[async_trait]
impl NodeClient for SshNodes {
    async fn host_key(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<HostKeyState> {
        self.ssh.host_key(ctx, target).await
    }

    async fn pin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        self.ssh.pin_host_key(ctx, target, key).await
    }

    async fn repin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        self.ssh.repin_host_key(ctx, target, key).await
    }

    async fn account(&self, ctx: &Context, target: &NodeTarget, wanted: &Account) -> ClientResult<AccountState> {
        let key = self.public_key(target, &wanted.key)?;
        let script = account::look_script(wanted, key.as_deref().unwrap_or_default());
        let state = self.operation(ctx, target, script, account::look_parse).await?;
        Ok(match (state, key) {
            (AccountState::Same, None) => AccountState::Partial(vec!["our key is not made yet".to_owned()]),
            (state, _) => state,
        })
    }

    async fn make_account(&self, ctx: &Context, target: &NodeTarget, wanted: &Account) -> ClientResult<()> {
        let Some(key) = self.public_key(target, &wanted.key)? else {
            return Err(unusable(target, "our key is not made yet"));
        };
        self.operation(ctx, target, account::make_script(wanted, &key), account::make_parse).await
    }

    /// As root where that is possible, which sees more; otherwise as the login, and the facts say so.
    async fn facts(&self, ctx: &Context, target: &NodeTarget, asked: &Asked) -> ClientResult<NodeFacts> {
        let read = |sent| {
            move |frames: &Frames| facts::parse(frames, asked, &facts::Exchange { sent, received: ctx.clock().now() })
        };
        let now = ctx.clock().now();
        match self.operation(ctx, target, facts::script(asked).as_root(), read(now)).await {
            Err(error) if error.finding.as_ref().is_some_and(|finding| finding.code == NO_ROOT) => {}
            answer => return answer,
        }
        let now = ctx.clock().now();
        let facts = self.operation(ctx, target, facts::script(asked), read(now)).await?;
        // A sudo that asks for a password does not say whether it would have let the login in; it was tried, and did not.
        Ok(NodeFacts { root: "none".to_owned(), ..facts })
    }

    async fn storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<StorageState> {
        self.operation(ctx, target, storage::look_script(from, to), storage::look_parse).await
    }

    async fn relocate_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()> {
        self.operation(ctx, target, storage::relocate_script(from, to), storage::relocate_parse).await
    }

    async fn remove_old_storage(&self, ctx: &Context, target: &NodeTarget, from: &str, to: &str) -> ClientResult<()> {
        self.operation(ctx, target, storage::remove_old_script(from, to), storage::remove_old_parse).await
    }

    async fn preparation(&self, ctx: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<Vec<String>> {
        self.operation(ctx, target, prepare::look_script(wanted), prepare::look_parse).await
    }

    async fn leftovers(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Leftovers> {
        self.operation(ctx, target, leftovers::look_script(), leftovers::look_parse).await
    }

    async fn birth(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Option<Birth>> {
        self.operation(ctx, target, birth::look_script(), birth::look_parse).await
    }

    async fn clear_leftovers(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<()> {
        self.operation(ctx, target, leftovers::clear_script(), leftovers::clear_parse).await
    }

    async fn prepare(&self, ctx: &Context, target: &NodeTarget, wanted: &Preparation) -> ClientResult<()> {
        self.operation(ctx, target, prepare::set_script(wanted), prepare::set_parse).await
    }

    async fn registries(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        wanted: &Registries<'_>,
    ) -> ClientResult<Observed<Vec<String>>> {
        let logins = self.passwords(target, wanted.logins)?;
        let script = registries::look_script(&with_passwords(wanted, &logins));
        self.operation(ctx, target, script, registries::look_parse).await
    }

    async fn set_registries(&self, ctx: &Context, target: &NodeTarget, wanted: &Registries<'_>) -> ClientResult<()> {
        let logins = self.passwords(target, wanted.logins)?;
        let script = registries::set_script(&with_passwords(wanted, &logins));
        self.operation(ctx, target, script, registries::set_parse).await
    }

    async fn admin_config(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<Secret> {
        self.operation(ctx, target, control_plane::admin_config_script(), control_plane::admin_config_parse).await
    }

    async fn control_plane(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<ControlPlane> {
        self.operation(ctx, target, control_plane::look_script(), control_plane::look_parse).await
    }

    async fn missing_files(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        folder: &str,
        files: &[DownloadFile],
    ) -> ClientResult<Vec<String>> {
        self.operation(ctx, target, downloads::look_script(folder, files), downloads::look_parse).await
    }

    async fn push_file(&self, ctx: &Context, target: &NodeTarget, push: &PushFile<'_>) -> ClientResult<()> {
        self.ssh.push(ctx, target, push).await
    }
}

impl KnownHosts for SshNodes {
    fn pinned(&self, targets: &[NodeTarget]) -> std::io::Result<String> {
        self.ssh.pinned(targets)
    }
}

const fn with_passwords<'a>(
    wanted: &Registries<'a>,
    logins: &'a [(&'a RegistryLogin, Secret)],
) -> registries::Registries<'a> {
    registries::Registries { mirrors: wanted.mirrors, engine_writes_mirrors: wanted.mirrors_by_engine, logins }
}
