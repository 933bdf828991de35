//! The real API server keeps the contract, and what others set on its objects stays theirs.

use crate::kube_client::{Ground, contract, versions};
use crate::stand::{Stand, control_plane_node, name};
use indexmap::IndexMap;
use plinth_model::SecretRef;
use plinth_model::steps::Health;
use plinth_world::kube::{KubeHealth as _, KubeNode, KubeNodes as _, KubeSystem as _};
use serde_json::json;
use std::sync::Arc;

fn labels(pairs: &[(&str, &str)]) -> IndexMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn taints(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The API server taints new nodes by itself.
fn by_people(node: &KubeNode) -> Vec<&str> {
    node.taints.iter().map(String::as_str).filter(|taint| !taint.starts_with("node.kubernetes.io/")).collect()
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_real_api_keeps_the_contract() {
    let stand = Arc::new(Stand::up());
    let seen = Arc::clone(&stand);
    let ground = Ground {
        from: control_plane_node(),
        server: stand.plane.endpoint(),
        node: name("n1"),
        secrets: ["first", "second"].map(|file| SecretRef::File(file.to_owned())),
        fingerprint: Box::new(move || {
            let kinds = "nodes,namespaces,configmaps,secrets,serviceaccounts";
            seen.plane
                .kubectl(&["get", kinds, "-A", "-o", "custom-columns=N:.metadata.name,V:.metadata.resourceVersion"])
                .unwrap()
        }),
    };
    stand.run(contract(&stand.client, &stand.ctx, &ground));
    let node = stand.run(stand.client.node(&stand.ctx, &name("n2"))).unwrap().unwrap();
    assert_eq!((node.ready, node.version.as_str(), node.address), (true, "v1.34.2", Some([10, 0, 0, 7].into())));
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_real_api_keeps_the_contract_of_versions() {
    let stand = Stand::introduced();
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    stand.apply(&json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "knativeservings.operator.knative.dev"},
        "spec": {
            "group": "operator.knative.dev", "scope": "Namespaced",
            "names": {"kind": "KnativeServing", "plural": "knativeservings", "singular": "knativeserving"},
            "versions": [{
                "name": "v1beta1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": free, "status": free}}},
            }],
        },
    }));
    let kubectl = |words: &[&str]| stand.plane.kubectl(words).unwrap();
    kubectl(&["wait", "--for=condition=Established", "crd/knativeservings.operator.knative.dev", "--timeout=60s"]);
    // Stands for the operator: it does nothing where more than one minor is asked for (its source, `reconciler/common`).
    let operator = || {
        let at = "jsonpath={.spec.version} {.status.version}";
        let said = kubectl(&["get", "knativeserving", "-n", "plinth-contract", "serving", "-o", at]);
        let (wanted, there) = said.split_once(' ').unwrap();
        let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        if minor(there).is_none_or(|there| there.abs_diff(minor(wanted).unwrap()) <= 1) {
            let status = json!({"status": {"version": format!("{wanted}.3")}}).to_string();
            let object = ["patch", "knativeserving", "-n", "plinth-contract", "serving"];
            kubectl(&[&object[..], &["--subresource=status", "--type=merge", "-p", &status]].concat());
        }
    };
    stand.run(versions(&stand.client, &stand.ctx, &operator));
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn drift_is_repaired_and_strangers_keep_their_own() {
    let stand = Stand::introduced();
    let (client, ctx, n1) = (&stand.client, &stand.ctx, name("n1"));
    let kubectl = |words: &[&str]| stand.plane.kubectl(words).unwrap();
    kubectl(&["label", "node", "n1", "team=storage", "zone=a"]);
    kubectl(&["taint", "node", "n1", "maintenance=yes:NoExecute"]);
    let (first, second) = (labels(&[("gpu", "h100"), ("zone", "b")]), labels(&[("gpu", "h100")]));
    stand.run(client.label_node(ctx, &n1, &first, &taints(&["gpu=true:NoSchedule"]))).unwrap();
    let version = stand.of_node("n1", ".metadata.resourceVersion");
    stand.run(client.label_node(ctx, &n1, &first, &taints(&["gpu=true:NoSchedule"]))).unwrap();
    assert_eq!(stand.of_node("n1", ".metadata.resourceVersion"), version, "nothing was to do");
    // Somebody changes ours, and adds more.
    kubectl(&["label", "node", "n1", "--overwrite", "gpu=none", "more=1"]);
    kubectl(&["taint", "node", "n1", "gpu-"]);
    stand.run(client.label_node(ctx, &n1, &first, &taints(&["gpu=true:NoSchedule"]))).unwrap();
    let seen = stand.run(client.node(ctx, &n1)).unwrap().unwrap();
    for (key, value) in [("gpu", "h100"), ("zone", "b"), ("team", "storage"), ("more", "1")] {
        assert_eq!(seen.labels.get(key).map(String::as_str), Some(value), "{:?}", seen.labels);
    }
    assert_eq!(by_people(&seen), ["maintenance=yes:NoExecute", "gpu=true:NoSchedule"]);
    // What only we set goes with our wish; what others set too stays.
    stand.run(client.label_node(ctx, &n1, &second, &taints(&["gpu=true:PreferNoSchedule"]))).unwrap();
    let seen = stand.run(client.node(ctx, &n1)).unwrap().unwrap();
    assert_eq!(seen.labels.get("team").map(String::as_str), Some("storage"));
    assert_eq!(seen.labels.get("zone"), None);
    assert_eq!(by_people(&seen), ["maintenance=yes:NoExecute", "gpu=true:PreferNoSchedule"], "our old one is dropped");
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn two_who_taint_at_once_lose_nothing() {
    let stand = Stand::introduced();
    let (client, ctx, n1, none) = (&stand.client, &stand.ctx, name("n1"), labels(&[]));
    let wanted = taints(&["ours=x:NoSchedule"]);
    // Another one taints all the while; each call of ours takes our own taint away, or sets it, and touches none of theirs. One after
    // the other: two kubectl that taint at once replace each other's list.
    std::thread::scope(|threads| {
        let plane = &stand.plane;
        threads.spawn(move || {
            for other in 0..3 {
                plane.kubectl(&["taint", "node", "n1", &format!("t{other}=x:NoSchedule")]).unwrap();
            }
        });
        for round in 0..6 {
            let taints = if round % 2 == 0 { &wanted[..] } else { &[] };
            stand.run(client.label_node(ctx, &n1, &none, taints)).unwrap();
        }
    });
    stand.run(client.label_node(ctx, &n1, &none, &wanted)).unwrap();
    let seen = stand.run(client.node(ctx, &n1)).unwrap().unwrap();
    assert_eq!(by_people(&seen).len(), 4, "{:?}", seen.taints);
    stand.run(client.label_node(ctx, &n1, &none, &[])).unwrap();
    let seen = stand.run(client.node(ctx, &n1)).unwrap().unwrap();
    assert_eq!(by_people(&seen).len(), 3, "what others set stays: {:?}", seen.taints);
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn a_list_of_hundreds_of_nodes_comes_in_pages() {
    let stand = Stand::introduced();
    let names: Vec<String> = (0..600).map(|n| format!("dgx-{n:03}")).collect();
    stand.nodes(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let nodes = stand.run(stand.client.nodes(&stand.ctx)).unwrap();
    assert_eq!(nodes.len(), 602);
    assert!(names.iter().all(|name| nodes.contains_key(name)));
    assert_eq!(nodes.values().filter(|node| node.ready).count(), 4);
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn health_of_workloads_is_about_the_newest_wish() {
    let stand = Stand::introduced();
    let (client, ctx) = (&stand.client, &stand.ctx);
    let look = |health: Health| {
        let seen = stand.run(client.health(ctx, "kube-system", &health)).unwrap();
        (seen.holds, seen.seen)
    };
    let workload = || Health::Workload { kind: "Deployment".to_owned(), name: "coredns".to_owned() };
    stand
        .plane
        .kubectl(&["create", "deployment", "coredns", "-n", "kube-system", "--image=x", "--replicas=2"])
        .unwrap();
    assert_eq!(look(workload()), (false, "0/2 ready".to_owned()));
    let patch = |ready: u32, generation: u32| {
        let status = format!(
            "{{\"status\": {{\"replicas\": 2, \"readyReplicas\": {ready}, \"observedGeneration\": {generation}}}}}"
        );
        let words = [
            "patch",
            "deployment",
            "coredns",
            "-n",
            "kube-system",
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ];
        stand.plane.kubectl(&words).unwrap();
    };
    patch(2, 0);
    assert!(!look(workload()).0, "the numbers are about an older wish");
    patch(2, 1);
    assert_eq!(look(workload()), (true, "2/2 ready".to_owned()));
    let health = stand.run(client.cluster_health(ctx)).unwrap();
    assert_eq!((health.failing.len(), health.workloads.len(), health.workloads[0].ready), (0, 1, 2));
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn health_of_objects_is_read_from_their_fields() {
    let stand = Stand::introduced();
    let (client, ctx) = (&stand.client, &stand.ctx);
    let look = |health: Health| {
        let seen = stand.run(client.health(ctx, "kube-system", &health)).unwrap();
        (seen.holds, seen.seen)
    };
    let condition = |name: &str| Health::Condition {
        resource: "apiservices.apiregistration.k8s.io".to_owned(),
        name: name.to_owned(),
        namespace: String::new(),
        condition: "Available".to_owned(),
    };
    assert_eq!(look(condition("v1.apps")), (true, "condition Available is True".to_owned()));
    assert_eq!(look(condition("v9.nobody")), (false, "not found".to_owned()));
    let field = |resource: &str, equals: &str| Health::Field {
        resource: resource.to_owned(),
        name: "default".to_owned(),
        namespace: String::new(),
        path: ".status.phase".to_owned(),
        equals: equals.to_owned(),
    };
    assert_eq!(look(field("namespaces", "Active")), (true, ".status.phase is Active".to_owned()));
    assert!(!look(field("namespaces", "Gone")).0);
    let (holds, said) = look(field("riddles.nobody.example", "x"));
    assert!(!holds && said.contains("riddles.nobody.example"), "{said}");
    let gpus = |nodes: &[&str]| Health::Allocatable {
        resource: "nvidia.com/gpu".to_owned(),
        nodes: nodes.iter().map(|node| name(node)).collect(),
    };
    let status = "{\"status\": {\"allocatable\": {\"nvidia.com/gpu\": \"8\"}}}";
    stand.plane.kubectl(&["patch", "node", "n1", "--subresource=status", "--type=merge", "-p", status]).unwrap();
    assert_eq!(look(gpus(&["n1"])), (true, "n1: 8".to_owned()));
    assert_eq!(look(gpus(&["n1", "n2"])), (false, "n1: 8, n2: 0".to_owned()));
}
