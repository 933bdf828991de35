//! A cluster has one default storage class, whoever was there first.

use crate::ground::Ground;
use serde_json::{Value, json};

/// Local volumes, and nothing else that takes time.
const VOLUMES: &str = "  components:
    metrics-server: {enabled: false}
    local-path-provisioner: {version: 0.0.36}
    haproxy-ingress: {enabled: false}
    ingress-nginx: {enabled: false}
    metallb: {enabled: false}
    kube-prometheus-stack: {enabled: false}
    prometheus-adapter: {enabled: false}
    gpu-operator: {enabled: false}
    knative-operator: {enabled: false}
    lws: {enabled: false}
";
const MARK: &str = "storageclass.kubernetes.io/is-default-class";

/// Classes that are the default.
fn defaults(ground: &Ground) -> Vec<String> {
    let list = ground.plane.kubectl(&["get", "storageclasses", "-o", "json"]).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let is_default = |class: &&Value| class["metadata"]["annotations"][MARK] == "true";
    let items = list["items"].as_array().unwrap().iter();
    items.filter(is_default).map(|class| class["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn other(ground: &Ground, mark: &str) {
    ground.apply(&json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "x.example/nfs",
        "metadata": {"name": "nfs", "annotations": {MARK: mark}}}));
}

#[test]
#[ignore = "needs root, Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_cluster_keeps_one_default_storage_class() {
    Ground::with("helm3", VOLUMES, |ground| {
        other(ground, "true");
        ground.apply_site().exits(0).says("platform.other-default-storage");
        assert_eq!(defaults(ground), ["nfs"], "what was there first stays the default");
        ground.plinth(&["plan", "--preflight", "--detailed-exitcode"]).exits(0);
        ground.plinth(&["plan", "--detailed-exitcode"]).exits(0);
        // Its mark goes: ours is the default, and stays so whatever comes.
        other(ground, "false");
        ground.apply_site().exits(0);
        assert_eq!(defaults(ground), ["local-path"]);
        other(ground, "true");
        ground.plinth(&["plan", "--preflight", "--detailed-exitcode"]).exits(0).says("platform.two-default-storages");
        assert_eq!(defaults(ground), ["local-path", "nfs"]);
    });
}
