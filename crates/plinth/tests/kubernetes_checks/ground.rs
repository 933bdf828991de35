//! A cluster by kubeadm: n1 controls it, n2 has the hardware. plinth takes it over as one that is there, and checks a site in which the
//! components are on that the stand-ins play.

use crate::cluster::Cluster;
use crate::support::said;
use plinth_lab::Parts;
use serde_json::{Value, json};
use std::ops::Deref;
use std::path::Path;

pub(crate) const BUSYBOX: &str = plinth_lab::BUSYBOX;
pub(crate) const NGINX: &str = "docker.io/library/nginx:1.28.0-alpine";

pub(crate) struct Ground(Cluster);

impl Deref for Ground {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.0
    }
}

impl Ground {
    pub(crate) fn up() -> Self {
        let ground = Self(Cluster::up("checks", 2));
        ground.taken_over();
        ground
    }

    fn taken_over(&self) {
        // Nobody offers GPUs yet.
        self.site(&json!({}), &[], &json!({"skip": ["gpu-pod"]}));
        let output = self.plinth(&["apply", "--yes"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }

    /// A site in which these components are on, with more about its platform and its checks.
    pub(crate) fn site(&self, platform: &Value, components: &[&str], checks: &Value) {
        let node = |node: plinth_lab::Node<'_>| json!({"name": node.name(), "address": node.address()});
        let nodes: Vec<Value> = self.bench.lab.nodes().map(node).collect();
        let mut all = nothing();
        for name in components {
            all[*name]["enabled"] = json!(true);
        }
        let mut platform = platform.clone();
        platform["ingress"] = json!({"http": 30080, "https": 30443});
        platform["components"] = all;
        platform["acceptIncompatible"] = json!(["gpu-operator.kubernetes", "network-operator.kubernetes"]);
        let mut checks = checks.clone();
        if checks.get("names").is_none() {
            checks["names"] = json!([]);
        }
        let site = json!({
            "apiVersion": "plinth/v1", "kind": "Site", "metadata": {"name": "proofs"},
            "inventory": {"static": nodes},
            "networks": {"production": self.bench.lab.network()},
            "nodes": {"controlPlane": ["n1"], "workers": ["n2"], "gpu": ["n2"]},
            "kubernetes": {"engine": "existing", "kubeconfig": "kubeconfig"},
            "platform": platform, "checks": checks,
        });
        std::fs::write(self.bench.folder.path().join("site.yaml"), format!("{site:#}\n")).unwrap();
    }

    /// One check ends with this code; answers what it says, and its verdict among the evidence.
    fn check(&self, check: &str, code: i32) -> (String, Value) {
        let output = self.plinth(&["check", "--only", check, "--out", "proof"]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let proof = self.bench.folder.path().join("proof");
        let checks: Value = serde_json::from_slice(&std::fs::read(proof.join("checks.json")).unwrap()).unwrap();
        assert!(std::fs::read_to_string(proof.join("junit.xml")).unwrap().contains(&format!("checks/{check}/")));
        (said(&output), checks["checks"][0].clone())
    }

    /// It holds, with each of these lines in its evidence.
    pub(crate) fn holds(&self, check: &str, lines: &[&str]) {
        let (told, verdict) = self.check(check, 0);
        let evidence = verdict["evidence"].to_string();
        for line in lines {
            assert!(evidence.contains(line), "{line}: {evidence}\n{told}");
        }
    }

    /// It does not, by this code, with each of these lines in its evidence.
    pub(crate) fn fails(&self, check: &str, code: &str, lines: &[&str]) {
        let (told, verdict) = self.check(check, 3);
        let all = verdict.to_string();
        for line in lines.iter().chain(&[code]) {
            assert!(all.contains(line), "{line}: {all}\n{told}");
        }
    }

    /// A device plugin on n2, until it is stopped: `RESOURCE COUNT env:.. mount:..`.
    pub(crate) fn offers(&self, unit: &str, words: &[&str]) {
        let node = self.bench.lab.node("n2").unwrap();
        let program = std::fs::read(Parts::devices().unwrap().program("device-plugin").unwrap()).unwrap();
        // Of its own name: one that runs cannot be written over.
        let path = format!("/usr/local/bin/{unit}");
        node.write_file(&path, "0755", &program).unwrap();
        let start = ["systemd-run", "--quiet", "--collect", "--unit", unit, &path];
        node.exec(&[&start[..], words].concat()).unwrap();
        let (name, count) = (words[0].replace('.', "\\."), words[1]);
        let path = format!(".status.allocatable.{name}");
        self.until("the node offers the devices", || self.text(&["node", "n2"], &path) == count);
    }

    /// All test objects are gone.
    pub(crate) fn nothing_is_left(&self) {
        let active = "{.items[?(@.status.phase=='Active')].metadata.name}";
        let of_checks = ["get", "namespaces", "-l", "plinth.dev/check", "-o"];
        let left = self.kubectl(&[&of_checks[..], &[&format!("jsonpath={active}")]].concat());
        assert_eq!(left, "", "test objects go again");
    }
}

/// No component; those that a check is about are switched on one by one.
fn nothing() -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/components");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    Value::Object(names.map(|name| (name, json!({"enabled": false}))).collect())
}

/// A pod on n2 with one container.
pub(crate) fn pod(place: (&str, &str), labels: &Value, image: &str, command: &[&str]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": place.0, "name": place.1, "labels": labels},
        "spec": {
            "nodeName": "n2", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "one", "image": image, "imagePullPolicy": "IfNotPresent", "command": command}],
        },
    })
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}
