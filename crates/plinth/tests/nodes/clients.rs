//! The SSH client itself, standing in a lab's network.

use plinth_keystore::SiteSecrets;
use plinth_lab::{Lab, Node};
use plinth_model::SecretRef;
use plinth_model::steps::{Account, Credential, KeyAlgorithm, NodeTarget};
use plinth_ssh::KeptNodeKey;
use plinth_ssh::{SshConfig, SshNodes};
use plinth_world::keystore::NodeKey as _;
use plinth_world::secrets::Secrets;
use plinth_world::{Context, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// containerd as Kubespray sets it up: it reads mirrors from a folder.
const READS_MIRRORS: &str =
    "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/etc/containerd/certs.d\"\n";

/// Lets containerd of a node read mirrors from a folder.
pub(crate) fn reads_mirrors(node: &Node<'_>) {
    node.write_file("/etc/containerd/config.toml", "0644", READS_MIRRORS.as_bytes()).unwrap();
    node.exec(&["systemctl", "restart", "containerd"]).unwrap();
}

/// A registry that has nothing.
async fn registry(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    }
}

/// A client with a state folder of its own.
pub(crate) struct Nodes {
    pub(crate) client: SshNodes,
    pub(crate) ctx: Context,
    /// The key pair of the account.
    pub(crate) key: SecretRef,
    _folder: TempDir,
}

impl Nodes {
    /// A client for the nodes of this lab, which gives up soon.
    pub(crate) fn of(lab: &Lab) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), lab.password()).unwrap();
        let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder.path()).below(folder.path()));
        let ctx = Context::quiet(Arc::new(SystemClock::new()));
        let keystore = KeptNodeKey::new(folder.path(), Arc::clone(&secrets));
        runtime().block_on(keystore.ssh_key(&ctx, KeyAlgorithm::Ed25519)).unwrap();
        let key = SecretRef::Generated("ssh-key".to_owned());
        Self { client: SshNodes::new(impatient(folder.path()), secrets), ctx, key, _folder: folder }
    }

    /// Where a registry answers while [`Nodes::inside`] runs.
    pub(crate) fn mirror(lab: &Lab) -> String {
        format!("http://{}:5000", lab.bridge())
    }

    /// Work of a runtime that stands in the lab's network.
    pub(crate) fn inside<T: Send>(&self, lab: &Lab, work: impl AsyncFnOnce() -> T + Send) -> T {
        let all = async || {
            tokio::spawn(registry(TcpListener::bind((lab.bridge(), 5000)).await.unwrap()));
            work().await
        };
        lab.inside(|| runtime().block_on(all())).unwrap()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Silence is noticed after some seconds.
fn impatient(state: &Path) -> SshConfig {
    SshConfig { connect: Duration::from_secs(5), keep_alive: Duration::from_secs(1), ..SshConfig::new(state) }
}

/// The same node, as the account.
pub(crate) fn as_account(target: &NodeTarget, account: &Account) -> NodeTarget {
    NodeTarget { user: account.name.clone(), credential: Credential::Key(account.key.clone()), ..target.clone() }
}
