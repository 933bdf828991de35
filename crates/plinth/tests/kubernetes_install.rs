//! The whole way to a cluster: plinth on bare nodes, real Ansible, and a tree in Kubespray's shape that really installs
//! Kubernetes from the inventory and the variables that plinth rendered. They need root and Go: `cargo xtask test --tier
//! kubernetes`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "nodes/support.rs"]
#[allow(dead_code)]
mod support;

use plinth_lab::{KUBERNETES, LabSpec, Mirror, Served};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::{Bench, outcome, said};
use tempfile::TempDir;

const PODS: &str = "10.233.64.0/18";
const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubespray");
/// A release whose Kubernetes is the one that is built, and the Ansible that it wants.
const RELEASE: &str = "v2.30.0";
const REQUIREMENTS: &str = "ansible-core==2.17.14\n";

/// Three nodes that are to become a cluster.
struct Ground {
    bench: Bench,
    mirror: Mirror,
    served: Served,
    tree: TempDir,
    wheels: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let mirror = Mirror::have().unwrap();
        let spec = LabSpec::unique("install").usual(3).kubernetes(PODS.parse().unwrap());
        let bench = Bench::up(&spec, "");
        let served = mirror.serve(&bench.lab).unwrap();
        let tree = tempfile::tempdir().unwrap();
        ran(Command::new("cp").arg("-a").arg(format!("{TREE}/.")).arg(tree.path())).unwrap();
        std::fs::write(tree.path().join("requirements.txt"), REQUIREMENTS).unwrap();
        newer(&tree.path().join("playbooks/boilerplate.yml"));
        let wheels = wheels(&tree.path().join("requirements.txt"));
        Self { bench, mirror, served, tree, wheels }
    }

    /// The site; `more` is merged into its nodes.
    fn site(&self, overrides: Value) {
        let mut variables = self.mirror.kubespray_variables(&self.served.url()).unwrap();
        variables.insert("lab_really".to_owned(), json!(true));
        let (lab, tree) = (&self.bench.lab, self.tree.path());
        let pin = json!({"commit": "0".repeat(40), "tree": tree_id(tree)});
        let nodes: Vec<Value> =
            lab.nodes().map(|node| json!({"name": node.name(), "address": node.address()})).collect();
        let url = self.served.url();
        let mirrors = ["docker.io", "nvcr.io"].map(|registry| json!({"registry": registry, "endpoints": [url]}));
        let site = json!({
            "apiVersion": "plinth/v1", "kind": "Site", "metadata": {"name": "install"},
            "inventory": {"static": nodes},
            "networks": {"production": lab.network()},
            "nodes": {"controlPlane": ["n1"], "workers": ["n2", "n3"], "overrides": overrides},
            "access": {
                "bootstrap": {"user": lab.user(), "password": {"file": "password"}},
                "account": {"name": "plinth", "uid": 60000, "gid": 60000},
            },
            "storage": {"imagesGib": 1},
            "registries": {"mirrors": mirrors},
            "kubernetes": {
                "version": format!("v{KUBERNETES}"),
                "kubespray": {"version": RELEASE, "source": tree, "pin": pin, "wheels": self.wheels},
                "network": {"plugin": "cni", "pods": PODS, "services": "10.233.0.0/18", "nodePrefix": 24, "proxyMode": "iptables"},
                "dns": {"nodeCache": false},
                "downloads": {"push": false},
                "extraVars": variables,
            },
            "platform": {"ingress": {"http": 30080, "https": 30443}, "components": nothing()},
        });
        self.bench.site(&format!("{site:#}\n"));
    }

    /// All of Kubernetes is done, and nothing else is planned in a site without a platform.
    fn apply(&self) -> Vec<Value> {
        let output = self.bench.plinth(&["apply", "--yes", "--events", "events.ndjson"]);
        let events = self.bench.events();
        let failed = |event: &&Value| event["event"] == "step.finished" && event["outcome"] == "failed";
        assert_eq!(events.iter().find(failed), None, "{}", said(&output));
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        events
    }

    /// Playbooks that worked on nodes until now; Kubespray's own check of its input is none.
    fn plays(&self) -> usize {
        let logs = std::fs::read_dir(self.bench.state().join("kubespray/logs")).into_iter().flatten().flatten();
        logs.filter(|log| !log.file_name().to_string_lossy().ends_with("-boilerplate.log")).count()
    }

    /// Pods really run; then one thing after the other is broken, and the check says which.
    fn every_check_holds_and_names_what_is_broken(&self) {
        let output = self.bench.plinth(&["check", "--out", "proof"]);
        assert_eq!(output.status.code(), Some(0), "{}\n{}", said(&output), self.probes());
        let proof = self.bench.folder.path().join("proof");
        let checks: Value = serde_json::from_slice(&std::fs::read(proof.join("checks.json")).unwrap()).unwrap();
        let of = |check: &str| {
            let all = checks["checks"].as_array().unwrap();
            all.iter().find(|one| one["id"] == format!("checks/{check}/install")).cloned().unwrap()
        };
        assert_eq!(of("nodes")["evidence"][0], "3 of 3 nodes Ready");
        assert_eq!(
            of("pod-network")["evidence"][0],
            "9 questions on 3 nodes were answered",
            "two peers and the service, each"
        );
        assert!(std::fs::read_to_string(proof.join("junit.xml")).unwrap().contains("checks/system/install"));
        assert!(std::fs::read_to_string(proof.join("index.html")).unwrap().contains("3 checks: 3 hold"));

        // The way to the pods of one node is cut.
        let range = self.range_of_pods("n2");
        let cut = self.bench.lab.node("n3").unwrap();
        cut.exec(&["ip", "rule", "add", "to", &range, "priority", "10", "blackhole"]).unwrap();
        let told = self.fails(&["--only", "pod-network"]);
        assert!(told.contains("a pod on n3 does not reach n2"), "{told}");
        cut.exec(&["ip", "rule", "del", "priority", "10"]).unwrap();

        // A kubelet that stopped; the controller notices after 40 seconds.
        cut.exec(&["systemctl", "stop", "kubelet"]).unwrap();
        self.kubectl(&["wait", "--for=condition=Ready=Unknown", "--timeout=120s", "node/n3"]);
        let told = self.fails(&["--only", "nodes"]);
        assert!(told.contains("n3: not Ready"), "{told}");
        cut.exec(&["systemctl", "start", "kubelet"]).unwrap();
        self.kubectl(&["wait", "--for=condition=Ready", "--timeout=60s", "node/n3"]);

        let left = self.kubectl(&[
            "get",
            "namespaces",
            "-l",
            "plinth.dev/check",
            "-o",
            "jsonpath={.items[?(@.status.phase=='Active')].metadata.name}",
        ]);
        assert_eq!(left, "", "test objects go again");
    }

    /// GPUs and storage, on this cluster as one that is there already: what an operator would offer stands in the status of the node.
    fn gpus_and_storage_are_proved_by_pods(&self) {
        self.kubectl(&["label", "node", "n3", "nvidia.com/gpu.count=2"]);
        self.offer("2");
        self.bench.lab.node("n3").unwrap().exec(&["mkdir", "-p", "/tmp/claim"]).unwrap();
        std::fs::write(self.bench.folder.path().join("storage.json"), claimable().to_string()).unwrap();
        let storage = self.bench.folder.path().join("storage.json");
        self.kubectl(&["apply", "-f", storage.to_str().unwrap()]);
        // Taken over without a platform; then it is checked as if GPU operator and storage had been installed.
        self.hardware(&nothing());
        let output = self.plinth_on_hardware(&["apply", "--yes"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let mut components = nothing();
        for wanted in ["gpu-operator", "local-path-provisioner"] {
            components[wanted]["enabled"] = json!(true);
        }
        self.hardware(&components);
        let check = |code: i32| {
            let only = ["gpu-capacity", "gpu-pod", "storage"].map(|check| ["--only", check]).concat();
            let output = self.plinth_on_hardware(&[&["check"], &only[..]].concat());
            assert_eq!(output.status.code(), Some(code), "{}", said(&output));
            said(&output)
        };
        let told = check(0);
        for proof in [
            "2 GPUs on 1 node offered in full",
            "a pod ran on n3 and saw 1 GPU",
            "a claim of 64 MiB of class claimable was bound, written by one pod and read by another",
        ] {
            assert!(told.contains(proof), "{proof}: {told}");
        }

        // One GPU fell out, and the only volume is taken.
        self.offer("1");
        let told = check(3);
        assert!(told.contains("n3: it offers 1 nvidia.com/gpu, and its driver sees 2"), "{told}");
        assert!(told.contains("a pod ran on n3 and saw 1 GPU"), "{told}");
        assert!(told.contains("checks/storage/default") && told.contains("claim Pending"), "{told}");
    }

    /// A site of the same cluster, with these components.
    fn hardware(&self, components: &Value) {
        let node = |node: plinth_lab::Node<'_>| json!({"name": node.name(), "address": node.address()});
        let nodes: Vec<Value> = self.bench.lab.nodes().map(node).collect();
        let site = json!({
            "apiVersion": "plinth/v1", "kind": "Site", "metadata": {"name": "hardware"},
            "inventory": {"static": nodes},
            "networks": {"production": self.bench.lab.network()},
            "nodes": {"controlPlane": ["n1"], "workers": ["n2", "n3"], "gpu": ["n3"]},
            "kubernetes": {"engine": "existing", "kubeconfig": "kubeconfig"},
            // Nothing outside the lab can be resolved in it.
            "checks": {"names": []},
            "platform": {
                "ingress": {"http": 30080, "https": 30443}, "components": components,
                "acceptIncompatible": ["gpu-operator.kubernetes"],
            },
        });
        std::fs::write(self.bench.folder.path().join("hardware.yaml"), format!("{site:#}")).unwrap();
    }

    fn plinth_on_hardware(&self, words: &[&str]) -> Output {
        let mut command = self.bench.lab.command(env!("CARGO_BIN_EXE_plinth"));
        command.args(words).args(["-f", "hardware.yaml", "--state", "hardware"]).current_dir(self.bench.folder.path());
        command.env("HOME", self.bench.folder.path()).output().unwrap()
    }

    fn offer(&self, gpus: &str) {
        let offered =
            json!({"status": {"capacity": {"nvidia.com/gpu": gpus}, "allocatable": {"nvidia.com/gpu": gpus}}});
        self.kubectl(&["patch", "node", "n3", "--subresource=status", "--type=merge", "-p", &offered.to_string()]);
    }

    /// What kubelets said last about probes, for a test that fails.
    fn probes(&self) -> String {
        let words = ["journalctl", "-u", "kubelet", "-n", "400", "--no-pager", "-o", "cat"];
        let of = |node: plinth_lab::Node<'_>| {
            let all = node.exec(&words).unwrap_or_default();
            let lines: Vec<&str> = all.lines().filter(|line| line.contains("robe") || line.contains("rror")).collect();
            format!("{}:\n{}\n", node.name(), lines[lines.len().saturating_sub(12)..].join("\n"))
        };
        self.bench.lab.nodes().map(of).collect()
    }

    /// The range that the bridge of a node gives addresses from. Its `podCIDR` may be that of another node: the controller hands those out
    /// in the order in which nodes join, and this network does not ask for them.
    fn range_of_pods(&self, node: &str) -> String {
        let text = self.bench.lab.node(node).unwrap().exec(&["cat", "/etc/cni/net.d/00-lab.conflist"]).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        config.pointer("/plugins/0/ipam/ranges/0/0/subnet").unwrap().as_str().unwrap().to_owned()
    }

    fn fails(&self, words: &[&str]) -> String {
        let output = self.bench.plinth(&[&["check"], words].concat());
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        said(&output)
    }

    fn kubectl(&self, words: &[&str]) -> String {
        let mut command = self.bench.lab.command(self.mirror.kubectl().to_str().unwrap());
        command.arg("--kubeconfig").arg(self.bench.folder.path().join("kubeconfig")).args(words);
        let output = command.output().unwrap();
        assert!(output.status.success(), "kubectl {words:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Labels of a node, or its taints.
    fn node(&self, name: &str, path: &str) -> Value {
        let node: Value = serde_json::from_str(&self.kubectl(&["get", "node", name, "-o", "json"])).unwrap();
        node.pointer(path).cloned().unwrap_or_default()
    }
}

/// The tree's own checks are those of an older release; this one has another Ansible and writes versions without a v.
fn newer(checks: &Path) {
    let mut text = std::fs::read_to_string(checks).unwrap();
    for (old, new) in [("2.17.0", "2.18.0"), ("2.16.4", "2.17.3"), ("match('^v1", "match('^1")] {
        assert!(text.contains(old), "{old} in {text}");
        text = text.replace(old, new);
    }
    std::fs::write(checks, text).unwrap();
}

/// A class that is the default, and its one volume: a folder of a node.
fn claimable() -> Value {
    let default = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    let place = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": ["n3"]});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "claimable", "annotations": default},
            "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer",
        },
        {
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "claimable"},
            "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "claimable",
                "local": {"path": "/tmp/claim"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [place]}]}},
            },
        },
    ]})
}

/// Charts and their images come from registries, so nothing of the platform is wanted.
fn nothing() -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/components");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    Value::Object(names.map(|name| (name, json!({"enabled": false}))).collect())
}

fn ran(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() { Ok(text) } else { Err(said(&output)) }
}

/// Ansible as wheels, kept between runs: the lab's network reaches no index.
fn wheels(requirements: &Path) -> PathBuf {
    let build = |into: &Path| {
        let own = into.join("environment");
        ran(Command::new("python3").args(["-m", "venv"]).arg(&own))?;
        let mut command = Command::new(own.join("bin/pip"));
        ran(command.args(["download", "--quiet", "--dest"]).arg(into).arg("-r").arg(requirements))?;
        std::fs::remove_dir_all(own).map_err(|error| error.to_string())
    };
    plinth_lab::cached("wheels", requirements, build).unwrap()
}

/// Git's id of a folder's content.
fn tree_id(folder: &Path) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(scratch.path()).arg("--work-tree").arg(folder).args(words);
        ran(command.env("GIT_CONFIG_GLOBAL", "/dev/null").current_dir(folder)).unwrap()
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all", "--force", "."]);
    git(&["write-tree"])
}

#[test]
#[ignore = "needs root, the lab and Go: cargo xtask test --tier kubernetes"]
fn bare_nodes_become_a_cluster_and_stay_as_the_site_says() {
    let ground = Ground::new();
    ground.site(json!({"n2": {"labels": {"example.com/rack": "r7"}, "taints": ["example.com/own=yes:NoSchedule"]}}));
    let events = ground.apply();
    assert_eq!(ground.plays(), 1);
    let output = ground.bench.plinth(&["kubeconfig"]);
    assert!(output.status.success(), "{}", said(&output));
    std::fs::write(ground.bench.folder.path().join("kubeconfig"), &output.stdout).unwrap();

    for name in ["n1", "n2", "n3"] {
        let ready = ground.kubectl(&["wait", "--for=condition=Ready", "--timeout=0", &format!("node/{name}")]);
        assert!(ready.contains("condition met"), "{ready}");
    }
    assert_eq!(ground.node("n2", "/metadata/labels/example.com~1rack"), "r7");
    assert_eq!(ground.node("n2", "/spec/taints/0/key"), "example.com/own", "{events:?}");

    // Nothing is to do: no playbook starts, and nobody else's label goes.
    ground.kubectl(&["label", "node", "n3", "example.org/theirs=1"]);
    let events = ground.apply();
    assert_eq!(ground.plays(), 1, "{events:?}");

    // What somebody took away is put back, without a playbook.
    ground.kubectl(&["label", "node", "n2", "example.com/rack-"]);
    ground.kubectl(&["taint", "node", "n2", "example.com/own-"]);
    let events = ground.apply();
    assert_eq!(ground.node("n2", "/metadata/labels/example.com~1rack"), "r7");
    assert_eq!(ground.node("n2", "/spec/taints/0/key"), "example.com/own");
    assert_eq!(ground.node("n3", "/metadata/labels/example.org~1theirs"), "1");
    assert_eq!(ground.plays(), 1, "{events:?}");
    let labels = events.iter().filter_map(|event| event["step"].as_str()).find(|step| step.contains("/labels/"));
    assert_eq!(outcome(&events, labels.expect("a step of labels")), "changed");

    ground.every_check_holds_and_names_what_is_broken();
    ground.gpus_and_storage_are_proved_by_pods();
}
