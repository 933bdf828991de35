//! Acceptance checks against a real API server: what it says itself, and what is refused. Checks with pods that really run are in
//! `kubernetes_install.rs`.

use crate::stand::{Stand, name};
use plinth_model::steps::{Check, WHOLE_GPU};
use plinth_world::kube::{CheckSeen, KubeChecks};
use serde_json::json;

fn checked(stand: &Stand, check: &Check) -> CheckSeen {
    stand.run(stand.client.run_check(&stand.ctx, check)).unwrap()
}

fn fails(stand: &Stand, check: &Check, why: &str) {
    let seen = checked(stand, check);
    let CheckSeen::Fails { evidence, .. } = &seen else { panic!("{check:?} must fail: {seen:?}") };
    assert!(evidence.iter().any(|line| line.contains(why)), "{check:?}: {seen:?}");
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn what_the_api_server_itself_says_is_judged() {
    let stand = Stand::introduced();
    stand.nodes(&["n1", "n2", "n3"]);
    let of = |nodes: &[&str]| nodes.iter().map(|node| name(node)).collect::<Vec<_>>();
    assert!(checked(&stand, &Check::Nodes { nodes: of(&["n1", "n2"]) }).holds());
    fails(&stand, &Check::Nodes { nodes: of(&["n1", "n3"]) }, "n3: not Ready");
    fails(&stand, &Check::Nodes { nodes: of(&["n1", "n9"]) }, "n9: Kubernetes does not know it");

    fails(&stand, &Check::System, "0 workloads of kube-system");
    let labels = json!({"matchLabels": {"a": "b"}});
    let pod =
        json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x.example/y:1"}]}});
    stand.apply(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "dns", "namespace": "kube-system"},
        "spec": {"selector": labels, "template": pod},
    }));
    fails(&stand, &Check::System, "Deployment dns: 0/1 pods ready");
    let ready = json!({"status": {"replicas": 1, "readyReplicas": 1, "observedGeneration": 1}}).to_string();
    let patch =
        ["patch", "deployment", "dns", "-n", "kube-system", "--subresource=status", "--type=merge", "-p", &ready];
    stand.plane.kubectl(&patch).unwrap();
    assert!(checked(&stand, &Check::System).holds());

    fails(&stand, &Check::Metrics { nodes: of(&["n1"]) }, "the metrics API gives no answer");
    stand.apply(&json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": {"name": "metrics", "namespace": "kube-system"}},
    }));
    fails(&stand, &Check::Metrics { nodes: of(&["n1"]) }, "the metrics API gives no answer");

    let gpus = |replicas| Check::GpuCapacity { nodes: of(&["n1"]), replicas, resource: WHOLE_GPU.to_owned() };
    fails(&stand, &gpus(1), "n1: it has no label nvidia.com/gpu.count");
    stand.plane.kubectl(&["label", "node", "n1", "nvidia.com/gpu.count=8"]).unwrap();
    let status =
        json!({"status": {"allocatable": {"nvidia.com/gpu": "8"}, "capacity": {"nvidia.com/gpu": "8"}}}).to_string();
    stand.plane.kubectl(&["patch", "node", "n1", "--subresource=status", "--type=merge", "-p", &status]).unwrap();
    assert!(checked(&stand, &gpus(1)).holds());
    fails(&stand, &gpus(4), "its driver sees 8 times 4");

    // No pod would find room there, so none is made, nor its namespace.
    let resource = WHOLE_GPU.to_owned();
    let pod = Check::GpuPod { node: name("n2"), image: "x.example/y:1".to_owned(), resource };
    fails(&stand, &pod, "n2 offers no nvidia.com/gpu at all, so no pod gets one");
    let made = stand.plane.kubectl(&["get", "namespaces", "-o", "name"]).unwrap();
    assert!(!made.contains("gpu"), "{made}");
}

#[test]
#[ignore = "needs Go and the parts it builds: cargo xtask test --tier kubernetes"]
fn the_default_storage_class_is_one_and_a_namespace_of_somebody_else_stays() {
    let stand = Stand::introduced();
    let storage = Check::Storage { image: "x.example/y:1".to_owned() };
    fails(&stand, &storage, "no storage class is the default");
    for class in ["one", "two"] {
        stand.apply(&json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "x.example/y",
            "metadata": {"name": class, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        }));
    }
    fails(&stand, &storage, "2 storage classes are the default: one, two");
    let theirs =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "plinth-check-basepod-a-storage"}});
    stand.apply(&theirs);
    stand.plane.kubectl(&["delete", "storageclass", "two"]).unwrap();
    let error = stand.run(stand.client.run_check(&stand.ctx, &storage)).unwrap_err();
    assert!(error.happened.contains("belongs to somebody else"), "{error}");
    let left = stand
        .plane
        .kubectl(&["get", "namespace", "plinth-check-basepod-a-storage", "-o", "jsonpath={.status.phase}"])
        .unwrap();
    assert_eq!(left, "Active");
}
