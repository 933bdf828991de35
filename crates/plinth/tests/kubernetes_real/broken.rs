//! One thing after the other is broken under pods that run, and the check says which.

use crate::ground::{Ground, PROJECT, WORKER};
use serde_json::{Value, json};

impl Ground {
    /// It does not hold, by a line of evidence with each of these texts.
    fn fails(&self, check: &str, texts: &[&str]) {
        let told = self.run(check, &["check", "--only", check, "--out", "proof"]).exits(3).out;
        let proof: Value = serde_json::from_slice(&std::fs::read(self.path("proof/checks.json")).unwrap()).unwrap();
        let verdict = proof["checks"][0].to_string();
        for text in texts {
            assert!(verdict.contains(text), "{text}: {verdict}\n{told}");
        }
    }

    fn holds_again(&self, check: &str) {
        self.run(check, &["check", "--only", check]).exits(0);
    }
}

/// A disk that forgets what was written.
pub(crate) fn storage(ground: &Ground) {
    let volume = ground.cluster.text(&["pv"], ".items[0].spec.local.path");
    let (folder, _) = volume.rsplit_once('/').unwrap();
    // The claim is bound on either node.
    let script = format!("while :; do find {folder} -name proof -delete; sleep 0.1; done");
    for node in ground.cluster.bench.lab.nodes() {
        node.exec(&["systemd-run", "--quiet", "--collect", "--unit", "lab-forgets", "sh", "-c", &script]).unwrap();
    }
    ground.fails("storage", &["the pod that should read said", "No such file or directory", "claim Bound to pvc-"]);
    ground.cluster.bench.lab.nodes().for_each(|node| drop(node.exec(&["systemctl", "stop", "lab-forgets"]).unwrap()));
    ground.holds_again("storage");
}

/// A device plugin that gives a pod no device.
pub(crate) fn gpus(ground: &Ground) {
    let set = ["daemonset", "nvidia-device-plugin-daemonset", "-n", "gpu-operator"];
    let gives = |devices: &str| {
        let script = format!("exec /host/lab-device-plugin nvidia.com/gpu 2 env:NVIDIA_VISIBLE_DEVICES={devices}");
        let path = "/spec/template/spec/containers/0/command/2";
        let patch = json!([{"op": "replace", "path": path, "value": script}]).to_string();
        ground.cluster.kubectl(&[&["patch"], &set[..], &["--type=json", "-p", &patch]].concat());
        ground.cluster.kubectl(&[&["rollout", "status", "--timeout=120s"], &set[..]].concat());
        let offered = || ground.cluster.text(&["node", WORKER], ".status.allocatable.nvidia\\.com/gpu");
        ground.cluster.until("the node offers its GPUs", || offered() == "2");
    };
    gives(",");
    ground.fails("gpu-pod", &["`nvidia-smi -L` showed no GPU"]);
    gives("%");
    ground.holds_again("gpu-pod");
}

/// A part of Kubernetes whose new image cannot be pulled.
pub(crate) fn system(ground: &Ground) {
    let proxy = ["daemonset/kube-proxy", "-n", "kube-system"];
    let image = "kube-proxy=lab.example/absent:1";
    ground.cluster.kubectl(&[&["set", "image"], &proxy[..], &[image]].concat());
    let ready = || ground.cluster.text(&proxy, ".status.numberReady");
    ground.cluster.until("a pod does not come again", || ready() == "1");
    ground.fails("system", &["DaemonSet kube-proxy: 1/2 pods ready"]);
    ground.cluster.kubectl(&[&["rollout", "undo"], &proxy[..]].concat());
    ground.cluster.kubectl(&[&["rollout", "status", "--timeout=120s"], &proxy[..]].concat());
    ground.holds_again("system");
}

/// A cluster part that ended; and a project in which no pod may be made.
pub(crate) fn runai(ground: &Ground) {
    let scaled = |to: &str| {
        ground.cluster.kubectl(&["scale", "deployment", "runai-agent", "-n", "runai", &format!("--replicas={to}")]);
        let wanted = if to == "0" { "" } else { to };
        let agent = ["deployment", "runai-agent", "-n", "runai"];
        ground.cluster.until("the agent follows", || ground.cluster.text(&agent, ".status.readyReplicas") == wanted);
        // Run:ai hears of it.
        std::thread::sleep(std::time::Duration::from_secs(3));
    };
    scaled("0");
    ground.fails("runai", &["Disconnected"]);
    scaled("1");
    ground.holds_again("runai");

    let level = "pod-security.kubernetes.io/enforce";
    ground.cluster.apply(&[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PROJECT}})]);
    ground.cluster.kubectl(&["label", "namespace", PROJECT, &format!("{level}=restricted")]);
    ground.fails(
        "runai-workload",
        &["a training of project team-a that asks for 1 GPU is Failed", "violates PodSecurity"],
    );
    ground.cluster.kubectl(&["label", "namespace", PROJECT, &format!("{level}-")]);
    // The scheduler hears that the training is gone.
    std::thread::sleep(std::time::Duration::from_secs(3));
    ground.holds_again("runai-workload");
}
