//! A cluster by kubeadm on nodes of a lab: n1 controls it, and pods really run. What kubelets pull comes from the lab's mirror.

use crate::support::{Bench, said};
use plinth_lab::{ETCD, KUBERNETES, LabSpec, Mirror, Served};
use serde_json::{Value, json};
use std::process::Output;
use std::time::{Duration, Instant};

const INSTALL: &str = include_str!("../kubernetes/install.sh");
const PODS: &str = "10.233.64.0/18";

pub(crate) struct Cluster {
    pub(crate) bench: Bench,
    mirror: Mirror,
    _served: Served,
}

impl Cluster {
    /// Of so many nodes, all Ready. Its kubeconfig is the file `kubeconfig`.
    pub(crate) fn up(name: &str, nodes: usize) -> Self {
        let mirror = Mirror::have().unwrap();
        let spec = LabSpec::unique(name).usual(nodes).kubernetes(PODS.parse().unwrap());
        let bench = Bench::up(&spec, "");
        let served = mirror.serve(&bench.lab).unwrap();
        let install = |node: plinth_lab::Node<'_>, join: &str| {
            let address = node.address().to_string();
            node.exec(&["sh", "-euc", INSTALL, "sh", &served.url(), &address, PODS, KUBERNETES, ETCD, join]).unwrap();
        };
        let first = bench.lab.node("n1").unwrap();
        install(bench.lab.node("n1").unwrap(), "");
        let join = first.exec(&["kubeadm", "token", "create", "--print-join-command"]).unwrap();
        for node in bench.lab.nodes().filter(|node| node.name() != "n1") {
            install(node, join.trim());
        }
        let config = first.exec(&["cat", "/etc/kubernetes/admin.conf"]).unwrap();
        std::fs::write(bench.folder.path().join("kubeconfig"), config).unwrap();
        let cluster = Self { bench, mirror, _served: served };
        cluster.kubectl(&["wait", "--for=condition=Ready", "--timeout=120s", "node", "--all"]);
        cluster
    }

    pub(crate) fn plinth(&self, words: &[&str]) -> Output {
        let mut command = self.bench.lab.command(env!("CARGO_BIN_EXE_plinth"));
        command.args(words).args(["-f", "site.yaml", "--state", "state"]).current_dir(self.bench.folder.path());
        command.env("HOME", self.bench.folder.path()).output().unwrap()
    }

    pub(crate) fn kubectl(&self, words: &[&str]) -> String {
        let output = self.try_kubectl(words);
        assert!(output.status.success(), "kubectl {words:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn try_kubectl(&self, words: &[&str]) -> Output {
        let mut command = self.bench.lab.command(self.mirror.kubectl().to_str().unwrap());
        command.arg("--kubeconfig").arg(self.bench.folder.path().join("kubeconfig")).args(words);
        command.output().unwrap()
    }

    /// Somebody applies these objects.
    pub(crate) fn apply(&self, items: &[Value]) {
        let file = tempfile::NamedTempFile::new_in(self.bench.folder.path()).unwrap();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        std::fs::write(file.path(), list.to_string()).unwrap();
        self.kubectl(&["apply", "-f", file.path().to_str().unwrap()]);
    }

    /// What stands at a path of an object, as text.
    pub(crate) fn text(&self, object: &[&str], path: &str) -> String {
        self.kubectl(&[&["get"], object, &["-o", &format!("jsonpath={{{path}}}")]].concat())
    }

    /// Asks again until it is so.
    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(120);
        while !is_so() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}
