//! A real control plane with a few nodes that nobody runs, and the real client towards it.

use crate::node::Node;
use async_trait::async_trait;
use plinth_keystore::FileKeystore;
use plinth_keystore::SiteSecrets;
use plinth_kube::KubeApi;
use plinth_lab::ControlPlane;
use plinth_model::steps::{Credential, NodeTarget};
use plinth_model::{NodeName, SecretRef, SiteName};
use plinth_world::secrets::Secrets;
use plinth_world::{Clock, Context, SystemClock};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const SITE: &str = "basepod-a";

/// A control plane and a client.
pub(crate) struct Stand {
    pub(crate) plane: ControlPlane,
    pub(crate) client: KubeApi,
    pub(crate) ctx: Context,
    /// The node that the kubeconfig is fetched from.
    pub(crate) node: Arc<Node>,
    pub(crate) folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Stand {
    /// With the nodes n1 and n2, which are Ready, and no kubeconfig yet.
    pub(crate) fn up() -> Self {
        let plane = ControlPlane::up().unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in [("first", "first-value"), ("second", "second-value")] {
            std::fs::write(folder.path().join(name), value).unwrap();
        }
        let node = Arc::new(Node(Mutex::new(plane.admin())));
        let client = client(folder.path(), &node);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let stand = Self { plane, client, ctx: Context::quiet(Arc::new(Hasty::default())), node, folder, runtime };
        stand.nodes(&["n1", "n2"]);
        stand
    }

    /// The same, with the administrator's kubeconfig fetched.
    pub(crate) fn introduced() -> Self {
        let stand = Self::up();
        stand.fetch().unwrap();
        stand
    }

    pub(crate) fn fetch(&self) -> plinth_world::ClientResult<()> {
        use plinth_world::kube::KubeAccess as _;
        self.run(self.client.fetch_kubeconfig(&self.ctx, &control_plane_node(), &self.plane.endpoint()))
    }

    pub(crate) fn run<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// A client with the same state that gives up at once.
    pub(crate) fn impatient(&self) -> KubeApi {
        client(self.folder.path(), &self.node).patience(Duration::from_secs(1))
    }

    /// Registers nodes; the first two are Ready.
    pub(crate) fn nodes(&self, names: &[&str]) {
        let items: Vec<serde_json::Value> = names
            .iter()
            .map(|name| serde_json::json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}))
            .collect();
        self.apply(&serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}));
        for name in names.iter().take(2) {
            let status = serde_json::json!({"status": {
                "conditions": [{"type": "Ready", "status": "True", "reason": "a", "message": "b",
                    "lastHeartbeatTime": null, "lastTransitionTime": null}],
                "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
                "nodeInfo": {"kubeletVersion": "v1.34.2", "architecture": "", "bootID": "", "containerRuntimeVersion": "",
                    "kernelVersion": "", "kubeProxyVersion": "", "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": ""},
            }});
            let status = status.to_string();
            self.plane
                .kubectl(&["patch", "node", name, "--subresource=status", "--type=merge", "-p", &status])
                .unwrap();
        }
    }

    /// Somebody else applies this.
    pub(crate) fn apply(&self, manifest: &serde_json::Value) {
        let file = self.folder.path().join("manifest.json");
        std::fs::write(&file, manifest.to_string()).unwrap();
        self.plane.kubectl(&["apply", "--server-side", "-f", file.to_str().unwrap()]).unwrap();
    }

    /// Where the kubeconfig is kept.
    pub(crate) fn kept(&self) -> PathBuf {
        KubeApi::kept_in(self.folder.path())
    }

    /// One field of a node, by a JSON path.
    pub(crate) fn of_node(&self, node: &str, path: &str) -> String {
        self.plane.kubectl(&["get", "node", node, "-o", &format!("jsonpath={{{path}}}")]).unwrap()
    }
}

/// A client with its state in this folder. It gives up soon.
pub(crate) fn client(folder: &Path, node: &Arc<Node>) -> KubeApi {
    let secrets: Arc<dyn Secrets> = Arc::new(SiteSecrets::new(folder).below(folder));
    let keystore = Arc::new(FileKeystore::new(folder, Arc::clone(&secrets)));
    let node = Arc::<Node>::clone(node);
    KubeApi::new(folder, &SiteName::new(SITE).unwrap(), node, keystore, secrets).patience(Duration::from_secs(10))
}

pub(crate) fn name(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

pub(crate) fn control_plane_node() -> NodeTarget {
    NodeTarget {
        node: name("n1"),
        address: [127, 0, 0, 1].into(),
        port: 22,
        user: "plinth".to_owned(),
        credential: Credential::Key(SecretRef::File("key".to_owned())),
        legacy_keys: false,
        jump: None,
    }
}

/// The machine's time; waits are counted and take none of it.
#[derive(Default)]
struct Hasty {
    clock: SystemClock,
    slept: Mutex<Duration>,
}

#[async_trait]
impl Clock for Hasty {
    fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }
    fn elapsed(&self) -> Duration {
        self.clock.elapsed() + *self.slept.lock().unwrap()
    }
    async fn sleep(&self, duration: Duration) {
        *self.slept.lock().unwrap() += duration;
        tokio::task::yield_now().await;
    }
}
