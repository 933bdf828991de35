//! The operations of the sweep, by their names, through the SSH client.

use crate::clients::{Nodes, as_account};
use crate::node_client::{account, target};
use plinth_lab::{Lab, Node};
use plinth_model::download::DownloadFile;
use plinth_model::facts::Asked;
use plinth_model::steps::{Account, Mirror, NodeTarget, Preparation, RegistryLogin};
use plinth_model::{Digest, Domain, SecretRef};
use plinth_ssh::SshNodes;
use plinth_world::ClientResult;
use plinth_world::mark::SiteMark;
use plinth_world::node::{
    AccountState, NodeAccounts as _, NodeControlPlane as _, NodeFiles as _, NodeHostKeys as _, NodeInspection as _,
    NodeLeftovers as _, NodePreparation as _, NodeRegistries as _, NodeStorage as _, PushFile, Registries,
    StorageState,
};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Scripts that only look.
pub(super) const LOOKS: [&str; 5] = ["admin_config", "bootstrap", "control_plane", "downloads", "facts"];

/// Where files are pushed to.
const FOLDER: &str = "/var/cache/plinth/releases";
/// Storage that was moved, and its old copy.
const MOVED: (&str, &str) = ("/srv/data", "/local/data");
/// What is pushed.
static CONTENT: [u8; 300_000] = [7; 300_000];

/// One node, and all that the operations on it need.
#[derive(Clone)]
pub(super) struct Site<'a> {
    nodes: &'a Nodes,
    client: SshNodes,
    first: NodeTarget,
    ours: NodeTarget,
    account: Account,
    mirror: String,
    folder: Arc<TempDir>,
}

impl<'a> Site<'a> {
    pub(super) fn of(lab: &Lab, nodes: &'a Nodes, node: &Node<'_>) -> Self {
        let first = target(node.name(), node.address(), lab.user(), SecretRef::File("password".into()));
        let account = account(nodes.key.clone());
        let word = |text: &str| text.to_owned();
        let mark = SiteMark {
            id: word("0815"),
            site: word("sweep"),
            by: word("ada@desk"),
            directory: word("/home/ada/state"),
            since: word("2026-11-30T00:00:00Z"),
            takes_over: false,
        };
        let folder = Arc::new(tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("kubelet"), CONTENT).unwrap();
        let ours = as_account(&first, &account);
        Self {
            nodes,
            client: nodes.client.clone().managed_by(mark),
            first,
            ours,
            account,
            mirror: Nodes::mirror(lab),
            folder,
        }
    }

    pub(super) async fn is_met(&self) {
        let key = self.client.host_key(&self.nodes.ctx, &self.first).await.unwrap().presented;
        self.client.pin_host_key(&self.nodes.ctx, &self.first, &key).await.unwrap();
        self.client.make_account(&self.nodes.ctx, &self.first, &self.account).await.unwrap();
    }

    /// As a run before left the node.
    pub(super) async fn ready(&self, operation: &str) {
        if operation == "registries" {
            self.registries("old").await.unwrap();
        }
    }

    pub(super) async fn acts(&self, operation: &str) -> ClientResult<()> {
        let (client, ctx, ours) = (&self.client, &self.nodes.ctx, &self.ours);
        match operation {
            "account" => client.make_account(ctx, &self.first, &self.account).await,
            "prepare" => client.prepare(ctx, ours, &preparation()).await,
            "registries" => self.registries("new").await,
            "leftovers" | "a unit alone" => client.clear_leftovers(ctx, ours).await,
            "push" => {
                let (source, file) = (self.source(), file());
                let push = PushFile { source: &source, folder: FOLDER, name: &file.dest, sha256: &file.sha256 };
                client.push_file(ctx, ours, &push).await
            }
            "old storage" => client.remove_old_storage(ctx, ours, MOVED.0, MOVED.1).await,
            other => panic!("there is no operation {other}"),
        }
    }

    /// What a look says that is to be done; a look that fails says nothing.
    pub(super) async fn lacks(&self, operation: &str) -> Vec<String> {
        let (client, ctx, ours) = (&self.client, &self.nodes.ctx, &self.ours);
        let one = |what: &str| vec![what.to_owned()];
        match operation {
            "account" => match client.account(ctx, &self.first, &self.account).await.unwrap() {
                AccountState::Same => Vec::new(),
                AccountState::Absent => one("the account"),
                AccountState::Partial(lacks) => lacks,
                other => panic!("{other:?}"),
            },
            "prepare" => client.preparation(ctx, ours, &preparation()).await.unwrap(),
            "registries" => {
                let (mirrors, logins) = self.wanted("new");
                let wanted = Registries { mirrors: &mirrors, mirrors_by_engine: false, logins: &logins };
                client.registries(ctx, ours, &wanted).await.unwrap().unwrap_or_else(|| one("all registries"))
            }
            "leftovers" | "a unit alone" => {
                let leftovers = client.leftovers(ctx, ours).await.unwrap();
                assert_eq!(leftovers.running, Vec::<String>::new());
                leftovers.left
            }
            "push" => client.missing_files(ctx, ours, FOLDER, &[file()]).await.unwrap(),
            "old storage" => match client.storage(ctx, ours, MOVED.0, MOVED.1).await.unwrap() {
                StorageState::New { old_copy_mib: None } => Vec::new(),
                StorageState::New { .. } => one("the old copy"),
                other => panic!("{other:?}"),
            },
            other => panic!("there is no operation {other}"),
        }
    }

    /// Everything of [`LOOKS`], once.
    pub(super) async fn looks(&self) {
        let (client, ctx, ours) = (&self.client, &self.nodes.ctx, &self.ours);
        let asked = Asked { paths: vec!["/var".to_owned()], urls: vec![self.mirror.clone()], ..Asked::default() };
        for look in LOOKS {
            match look {
                "admin_config" => assert!(client.admin_config(ctx, ours).await.is_err(), "there is no Kubernetes"),
                "bootstrap" => assert!(client.bootstrap(ctx, ours).await.unwrap().is_none()),
                "control_plane" => assert!(client.control_plane(ctx, ours).await.unwrap().etcd.is_none()),
                "downloads" => drop(client.missing_files(ctx, ours, FOLDER, &[file()]).await.unwrap()),
                "facts" => assert!(client.facts(ctx, ours, &asked).await.unwrap().cpus > 0),
                other => panic!("nobody looks at {other}"),
            }
        }
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("kubelet")
    }

    async fn registries(&self, generation: &str) -> ClientResult<()> {
        let (mirrors, logins) = self.wanted(generation);
        let wanted = Registries { mirrors: &mirrors, mirrors_by_engine: false, logins: &logins };
        self.client.set_registries(&self.nodes.ctx, &self.ours, &wanted).await
    }

    /// The new ones replace a mirror and a login, and have a mirror more.
    fn wanted(&self, generation: &str) -> (Vec<Mirror>, Vec<RegistryLogin>) {
        let mirror = |registry: &str, path: &str| Mirror {
            registry: registry.to_owned(),
            endpoints: vec![format!("{}/{path}", self.mirror)],
        };
        let mut mirrors = vec![mirror("docker.io", generation)];
        if generation == "new" {
            mirrors.push(mirror("quay.io", "quay"));
        }
        let login = RegistryLogin {
            registry: "registry.example.com".to_owned(),
            username: generation.to_owned(),
            password: SecretRef::File("password".into()),
        };
        (mirrors, vec![login])
    }
}

fn preparation() -> Preparation {
    Preparation {
        hosts: [(Domain::fixed("runai.example.com"), Ipv4Addr::new(10, 77, 0, 11))].into(),
        modules: vec!["overlay".to_owned()],
        sysctls: [("net.ipv4.ip_forward".to_owned(), "1".to_owned())].into(),
        swap_off: true,
        time_service: true,
    }
}

fn file() -> DownloadFile {
    DownloadFile {
        name: "kubelet".to_owned(),
        url: "https://example.com/kubelet".to_owned(),
        sha256: Digest::of_bytes(&CONTENT).as_str().to_owned(),
        dest: "kubelet-v1".to_owned(),
        groups: Vec::new(),
    }
}
