//! The node client over SSH: each operation is one script, run by [`Ssh::run`], and one reading of its answers. What the nouns do is
//! beside their scripts.

use crate::frame::Frames;
use crate::key::public_key_line;
use crate::script::Script;
use crate::transport::{Ssh, SshConfig};
use async_trait::async_trait;
use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::steps::{NodeTarget, RegistryLogin};
use plinth_model::{Secret, SecretRef};
use plinth_world::mark::SiteMark;
use plinth_world::node::{HostKey, HostKeyState, KnownHosts, NodeHostKeys};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Context};
use std::sync::Arc;

const CLIENT: &str = "node";
/// The finding of a login that cannot become root.
pub(crate) const NO_ROOT: Code = code::NODE_NO_ROOT;

/// The real client of nodes: every operation is one script over SSH.
#[derive(Clone)]
pub struct SshNodes {
    pub(crate) ssh: Arc<Ssh>,
    mark: Option<Arc<SiteMark>>,
    secrets: Arc<dyn Secrets>,
}

impl SshNodes {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(config: SshConfig, secrets: Arc<dyn Secrets>) -> Self {
        Self { ssh: Arc::new(Ssh::new(config, Arc::clone(&secrets))), mark: None, secrets }
    }

    /// Marks nodes as managed from here, and leaves those alone that are managed from elsewhere.
    #[must_use]
    pub fn managed_by(mut self, mark: SiteMark) -> Self {
        self.mark = Some(Arc::new(mark));
        self
    }

    /// The script, which then asks for the mark.
    pub(crate) fn managed(&self, script: Script) -> Script {
        let Some(mark) = self.mark.as_deref() else { return script };
        let take_over = if mark.takes_over { "1" } else { "" };
        script.text("manager_id", &mark.id).text("manager", &mark.text()).text("take_over", take_over)
    }

    /// All pins as one known_hosts text, for programs that plinth runs.
    ///
    /// # Errors
    /// When a pin cannot be read.
    pub fn known_hosts(&self) -> std::io::Result<String> {
        self.ssh.known_hosts()
    }

    /// Runs an operation and reads its answers.
    pub(crate) async fn operation<T>(
        &self,
        ctx: &Context,
        target: &NodeTarget,
        script: Script,
        read: impl FnOnce(&Frames) -> Result<T, String>,
    ) -> ClientResult<T> {
        let frames = self.ssh.run(ctx, target, &script).await?;
        read(&frames).map_err(|happened| {
            let failure = self.ssh.unanswered(ctx, target, &script, &frames);
            failed(script.name(), target, self.secrets.redact(&happened)).failure(failure)
        })
    }

    /// The line of our key; none while the key was not made.
    pub(crate) fn public_key(&self, target: &NodeTarget, reference: &SecretRef) -> ClientResult<Option<String>> {
        let secret = match self.secrets.get(reference) {
            Ok(secret) => secret,
            Err(_) if matches!(reference, SecretRef::Generated(_)) => return Ok(None),
            Err(error) => return Err(unusable(target, &error.to_string())),
        };
        public_key_line(secret.expose()).map(Some).map_err(|error| unusable(target, &format!("{reference}: {error}")))
    }

    pub(crate) fn passwords<'a>(
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

pub(crate) fn failed(doing: &str, target: &NodeTarget, happened: String) -> ClientError {
    let doing = format!("{doing} on {} ({})", target.node, target.address);
    ClientError::new(CLIENT, doing)
        .happened(happened)
        .attempt("look at the node, then run again: what is done is found and kept")
}

pub(crate) fn unusable(target: &NodeTarget, happened: &str) -> ClientError {
    let doing = format!("preparing a login for {}", target.node);
    ClientError::new(CLIENT, doing).happened(happened).attempt("check the secret that the site file names")
}

#[async_trait]
impl NodeHostKeys for SshNodes {
    async fn host_key(&self, ctx: &Context, target: &NodeTarget) -> ClientResult<HostKeyState> {
        self.ssh.host_key(ctx, target).await
    }

    async fn pin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        self.ssh.pin_host_key(ctx, target, key).await
    }

    async fn repin_host_key(&self, ctx: &Context, target: &NodeTarget, key: &HostKey) -> ClientResult<()> {
        self.ssh.repin_host_key(ctx, target, key).await
    }
}

impl KnownHosts for SshNodes {
    fn pinned(&self, targets: &[NodeTarget]) -> std::io::Result<String> {
        self.ssh.pinned(targets)
    }
}
