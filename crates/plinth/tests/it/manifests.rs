//! `plinth plan` looks at what charts would bring, with a script in place of helm: nobody is contacted, and nothing is fetched.

use crate::refresh::{PASSWORD, package, package_with, refresh, site};
use crate::support::{Ran, plinth_with};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

/// Both charts of Run:ai bring a pod on the port of kubelet, and one cluster role under one name.
const HELM: &str = r#"#!/bin/sh
case "$1" in
version) echo v3.18.6 ;;
template)
    cat >>"$HOME/values"; echo "$*" >>"$HOME/words"
    if [ -e "$HOME/refuse" ]; then
        echo "Error: values don't meet the specifications of the schema(s) in the following chart(s):" >&2
        echo "- at '/global/domain': got string, want null" >&2; exit 1
    fi
    cat <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shared}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  template:
    spec:
      hostNetwork: true
      containers: [{name: main, ports: [{containerPort: 10250}]}]
END
    ;;
*) exit 9 ;;
esac
"#;

fn plan(folder: &Path, more: &[&str]) -> Ran {
    let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
    let arguments: Vec<&str> = ["plan", "--state", "state"].iter().chain(more).copied().collect();
    plinth_with(folder, &[("P", PASSWORD), ("PATH", &path)], &arguments)
}

fn room() -> TempDir {
    let room = TempDir::new().unwrap();
    let folder = room.path();
    site(folder);
    ["control-plane", "runai-cluster"].iter().for_each(|chart| package(folder, chart, "2.21.9"));
    refresh(folder).exits(0);
    fs::create_dir(folder.join("bin")).unwrap();
    fs::write(folder.join("bin/helm"), HELM).unwrap();
    fs::set_permissions(folder.join("bin/helm"), fs::Permissions::from_mode(0o755)).unwrap();
    room
}

fn finding<'a>(plan: &'a Value, code: &str) -> &'a Value {
    let found = plan["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {}", plan["findings"]))
}

#[test]
fn what_would_go_wrong_is_told_before_anything_is_changed() {
    let room = room();
    let said = plan(room.path(), &["--json"]).exits(0).json();
    let port = finding(&said, "platform.port-taken");
    let evidence = port["evidence"].to_string();
    assert!(evidence.contains("kubelet") && evidence.contains("DaemonSet runai/agent"), "{evidence}");
    let owned = finding(&said, "platform.object-owned");
    assert!(owned["evidence"].to_string().contains("ClusterRole shared"), "{owned}");
    let skipped = finding(&said, "platform.manifests-not-checked");
    assert_eq!(skipped["severity"], "info");
    assert!(skipped["evidence"].to_string().contains("gpu-operator"), "{skipped}");
    let read = |name: &str| fs::read_to_string(room.path().join(name)).unwrap();
    assert!(!read("values").contains(PASSWORD) && !read("words").contains(PASSWORD));
    assert!(read("words").contains("--kube-version v"), "{}", read("words"));
}

#[test]
fn a_chart_that_refuses_its_values_ends_the_plan_with_the_key() {
    let room = room();
    fs::write(room.path().join("refuse"), "").unwrap();
    let said = plan(room.path(), &[]).exits(1);
    let told = format!("{}{}", said.stdout, said.stderr);
    assert!(told.contains("platform.values-refused") && told.contains("/global/domain"), "{told}");
}

#[test]
fn without_helm_it_is_said_that_nothing_was_looked_at_and_none_is_fetched() {
    let room = room();
    fs::remove_file(room.path().join("bin/helm")).unwrap();
    let path = room.path().join("bin").display().to_string();
    let arguments = ["plan", "--state", "state", "--json"];
    let said = plinth_with(room.path(), &[("P", PASSWORD), ("PATH", &path)], &arguments).exits(0).json();
    let skipped = finding(&said, "platform.manifests-not-checked");
    assert!(skipped["evidence"].to_string().contains("no helm that fits"), "{skipped}");
    assert!(!room.path().join("state/helm").exists());
}

/// Of versions that the catalog does not know, the chart itself says which values it has; helm takes a misspelt one silently.
#[test]
fn values_of_an_unknown_version_are_held_against_the_package_and_what_is_not_here_is_said_once() {
    let room = TempDir::new().unwrap();
    let folder = room.path();
    fs::create_dir(folder.join("charts")).unwrap();
    package_with(folder, "metrics-server", "3.14.9", "replicas: 1\nimage: {tag: x}\nfree: {}\npodLabels: {a: b}\n");
    let given = "{replicas: 2, bogus: 1, image: {tga: y}, free: {x: 1}, podLabels: {q: r}, global: {z: 1}}";
    let site = format!(
        "apiVersion: plinth/v1\nkind: Site\nmetadata: {{name: there}}\ninventory: {{static: [{{name: n1, address: 10.0.0.1}}, {{name: n2, address: 10.0.0.2}}]}}
networks: {{production: 10.0.0.0/24}}\nnodes: {{controlPlane: [n1], workers: [n2]}}
kubernetes: {{engine: existing, kubeconfig: given.conf, version: v1.31.9}}
platform:
  charts: {{folder: charts}}
  components:
    metrics-server: {{version: 3.14.9, values: {given}}}
    lws: {{version: v0.7.9, values: {{bogus: 1}}}}
    prometheus-adapter: {{version: 5.1.9, values: {{bogus: 1}}}}
"
    );
    fs::write(folder.join("site.yaml"), site).unwrap();
    let said = plan(folder, &["--json"]).exits(0).json();
    let of = |code: &str| -> Vec<String> {
        let found = said["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
        found.map(|finding| format!("{} {}", finding["subject"], finding["message"]).replace('"', "")).collect()
    };
    let unknown = of("platform.unknown-value");
    let subjects: Vec<&str> = unknown.iter().filter_map(|line| line.split(' ').next()).collect();
    let below = "platform.components.metrics-server.values";
    assert_eq!(subjects, [format!("{below}.bogus"), format!("{below}.image.tga")], "{unknown:?}");
    let not_checked = of("platform.values-not-checked");
    assert_eq!(not_checked.len(), 1, "{not_checked:?}");
    assert!(not_checked[0].contains("lws") && not_checked[0].contains("prometheus-adapter"), "{not_checked:?}");
    assert!(!not_checked[0].contains("metrics-server"), "{not_checked:?}");
}
