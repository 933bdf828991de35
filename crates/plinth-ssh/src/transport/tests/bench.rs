//! What the tests stand on: a server, a client, a target.

use super::server::{Rules, Server};
use crate::script::Script;
use crate::transport::{Ssh, SshConfig};
use plinth_model::steps::{Credential, NodeTarget};
use plinth_model::{NodeName, Secret, SecretRef};
use plinth_world::secrets::{MemorySecrets, Secrets};
use plinth_world::{Context, SystemClock};
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::{Algorithm, PrivateKey};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) secrets: Arc<MemorySecrets>,
    pub(super) ssh: Ssh,
    pub(super) ctx: Context,
    pub(super) progress: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut SshConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = SshConfig::new(folder.path());
        config.connect = Duration::from_secs(5);
        change(&mut config);
        let secrets = Arc::new(MemorySecrets::default());
        let progress = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&progress);
        let ctx = Context::new(Arc::new(SystemClock::new()), move |p| {
            told.lock().unwrap().push(format!("{}/{} {}", p.done, p.total, p.message));
        });
        let ssh = Ssh::new(config, Arc::clone(&secrets) as Arc<dyn Secrets>);
        Self { folder, secrets, ssh, ctx, progress }
    }

    pub(super) fn password(&self, value: &str) -> Credential {
        Credential::Password(self.keep("password", value))
    }

    pub(super) fn key(&self, key: &PrivateKey) -> Credential {
        Credential::Key(self.keep("key", &key.to_openssh(LineEnding::LF).unwrap()))
    }

    pub(super) fn keep(&self, name: &str, value: &str) -> SecretRef {
        let reference = SecretRef::Env(name.to_owned());
        self.secrets.keep(&reference, &Secret::new(value.to_owned())).unwrap();
        reference
    }

    /// Pins whatever the target shows.
    pub(super) async fn pin(&self, target: &NodeTarget) {
        let state = self.ssh.host_key(&self.ctx, target).await.unwrap();
        self.ssh.pin_host_key(&self.ctx, target, &state.presented).await.unwrap();
    }

    /// A usual server, a target with a password, and the pin.
    pub(super) async fn usual(&self, rules: Rules) -> (Server, NodeTarget) {
        let server = Server::start(rules, vec![ed25519()]).await;
        let target = target(server.address, self.password(super::server::PASSWORD));
        self.pin(&target).await;
        (server, target)
    }

    pub(super) async fn run(
        &self,
        target: &NodeTarget,
        body: &'static str,
    ) -> plinth_world::ClientResult<crate::frame::Frames> {
        self.ssh.run(&self.ctx, target, &script(body)).await
    }
}

pub(super) fn script(body: &'static str) -> Script {
    Script::new("trying", body, Duration::from_secs(60))
}

pub(super) fn target(address: SocketAddr, credential: Credential) -> NodeTarget {
    NodeTarget {
        node: NodeName::new("dgx-01").unwrap(),
        address: "127.0.0.1".parse().unwrap(),
        port: address.port(),
        user: "ada".to_owned(),
        credential,
        legacy_keys: false,
        jump: None,
    }
}

pub(super) fn ed25519() -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
}

pub(super) fn rsa() -> PrivateKey {
    PrivateKey::new(KeypairData::from(RsaKeypair::random(&mut safe_rng(), 2048).unwrap()), "").unwrap()
}

/// Looks until something is so; a test that waits for what never comes fails.
pub(super) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never came: {what}");
}
