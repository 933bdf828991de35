//! `engine: existing` against a real API server: plan, apply, and what the site drops later.

use crate::stand::Stand;
use serde_json::Value;
use std::process::{Command, Output};

/// A site whose cluster is there, and that wants nothing of the platform.
const SITE_FILE: &str = "apiVersion: plinth/v1
kind: Site
metadata: {name: taken-over}
inventory: {static: [{name: n1, address: 10.0.0.1}, {name: n2, address: 10.0.0.2}]}
networks: {production: 10.0.0.0/24}
nodes: {controlPlane: [n1], workers: [n2]OVERRIDES}
kubernetes: {engine: existing, kubeconfig: given.conf}
checks: {skip: [pod-network, dns-out]}
platform:
  components:
    local-path-provisioner: {enabled: false}
    ingress-nginx: {enabled: false}
    metrics-server: {enabled: false}
    kube-prometheus-stack: {enabled: false}
    prometheus-adapter: {enabled: false}
    gpu-operator: {enabled: false}
    knative-operator: {enabled: false}
    lws: {enabled: false}
";
const MARKED: &str = ", overrides: {n2: {labels: {zone: a}, taints: ['gpu=true:NoSchedule']}}";

fn plinth(stand: &Stand, overrides: &str, arguments: &[&str]) -> Output {
    plinth_from("taken-over", stand, overrides, arguments)
}

/// From this state directory.
fn plinth_from(state: &str, stand: &Stand, overrides: &str, arguments: &[&str]) -> Output {
    let folder = stand.folder.path();
    std::fs::write(folder.join("site.yaml"), SITE_FILE.replace("OVERRIDES", overrides)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinth"));
    command.current_dir(folder).env_clear().env("HOME", folder.join("home"));
    command.args(arguments).args(["-f", "site.yaml", "--state", state]).output().unwrap()
}

/// Applies; answers the steps that changed something.
fn applied(stand: &Stand, overrides: &str) -> Vec<String> {
    let events = stand.folder.path().join("events");
    let ran = plinth(stand, overrides, &["apply", "-y", "--events", events.to_str().unwrap()]);
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let text = std::fs::read_to_string(&events).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changed = records.iter().filter(|r| r["event"] == "step.finished" && r["outcome"] == "changed");
    changed.map(|record| record["step"].as_str().unwrap().to_owned()).collect()
}

/// What a cluster has that somebody installed: CoreDNS, as far as its own status tells.
pub(crate) fn with_names(stand: &Stand) {
    let create = ["create", "deployment", "coredns", "-n", "kube-system", "--image=x", "--replicas=2"];
    stand.plane.kubectl(&create).unwrap();
    let status = r#"{"status": {"replicas": 2, "readyReplicas": 2, "observedGeneration": 1}}"#;
    let patch =
        ["patch", "deployment", "coredns", "-n", "kube-system", "--subresource=status", "--type=merge", "-p", status];
    stand.plane.kubectl(&patch).unwrap();
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_cluster_of_somebody_else_is_taken_over_and_follows_the_site() {
    let stand = Stand::up();
    with_names(&stand);
    let config = stand.plane.kubectl(&["config", "view", "--raw", "--flatten", "--minify"]).unwrap();
    std::fs::write(stand.folder.path().join("given.conf"), config).unwrap();

    let plan = plinth(&stand, MARKED, &["plan", "--json"]);
    assert_eq!(plan.status.code(), Some(0), "{}", String::from_utf8_lossy(&plan.stderr));
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    let ids: Vec<&str> = plan["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    let wanted = ["kubernetes/kubeconfig/taken-over", "kubernetes/labels/n2", "kubernetes/health/taken-over"];
    assert!(wanted.iter().all(|id| ids.contains(id)), "{ids:?}");
    assert!(!ids.iter().any(|id| id.starts_with("nodes/")), "no node is touched: {ids:?}");

    assert_eq!(applied(&stand, MARKED), ["kubernetes/kubeconfig/taken-over", "kubernetes/labels/n2"]);
    stand.plane.kubectl(&["taint", "node", "n2", "maintenance=yes:NoExecute"]).unwrap();
    stand.plane.kubectl(&["label", "node", "n2", "team=storage"]).unwrap();
    assert!(applied(&stand, MARKED).is_empty(), "nothing is left to do, and what others set is not touched");
    let keys = || stand.of_node("n2", ".spec.taints[*].key");
    assert!(keys().contains("gpu") && keys().contains("maintenance"), "{}", keys());

    assert_eq!(applied(&stand, ""), ["kubernetes/labels/n2"], "the site dropped them");
    assert!(!keys().contains("gpu") && keys().contains("maintenance"), "{}", keys());
    let labels = stand.of_node("n2", ".metadata.labels");
    assert!(!labels.contains("zone") && labels.contains("storage"), "{labels}");
    assert!(applied(&stand, "").is_empty());

    let reset = plinth(&stand, "", &["reset", "--confirm", "taken-over"]);
    assert_eq!(reset.status.code(), Some(1), "what plinth did not install it does not take away");
    managed_from_one_directory(&stand);
}

/// The mark is in the cluster, a second state directory is stopped by it, and takes over only when it is told to.
fn managed_from_one_directory(stand: &Stand) {
    let mark = || stand.plane.kubectl(&["get", "configmap", "plinth-site", "-n", "kube-system", "-o", "yaml"]).unwrap();
    let first = mark();
    assert!(first.contains("site: taken-over") && first.contains("/taken-over\n"), "{first}");
    let refused = |state: &str, place: &str| {
        let ran = plinth_from(state, stand, MARKED, &["apply", "-y"]);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(5), "{said}");
        assert!(said.contains("another state directory manages this cluster") && said.contains(place), "{said}");
    };
    refused("other-state", "/taken-over, since");
    assert_eq!(mark(), first, "nothing was written");
    assert!(!stand.of_node("n2", ".metadata.labels").contains("zone"), "nor anywhere else");
    let taken = plinth_from("other-state", stand, "", &["apply", "-y", "--take-over"]);
    assert_eq!(taken.status.code(), Some(0), "{}", String::from_utf8_lossy(&taken.stderr));
    assert_ne!(mark(), first);
    refused("taken-over", "/other-state, since");
    let record = std::fs::read_to_string(stand.folder.path().join("other-state/engine.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["members"], serde_json::json!(["n1", "n2"]), "{record}");
}
