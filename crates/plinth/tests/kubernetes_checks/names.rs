//! Names of others than the cluster, through the real CoreDNS.

use crate::ground::Ground;
use serde_json::{Value, json};

const NAME: &str = "head.outside.example";

/// The real DNS of the cluster knows one name of others, and not another.
pub(crate) fn outside(ground: &Ground) {
    let of_map = ["configmap", "coredns", "-n", "kube-system"];
    let before = ground.text(&of_map, ".data.Corefile");
    let text = format!("{NAME}:53 {{\n    hosts {{\n        192.0.2.7 {NAME}\n    }}\n}}\n{before}");
    let patch = json!({"data": {"Corefile": text}}).to_string();
    ground.kubectl(&["patch", "configmap", "coredns", "-n", "kube-system", "--type=merge", "-p", &patch]);
    let deployment = ["-n", "kube-system", "deployment/coredns"];
    ground.kubectl(&[&["rollout", "restart"], &deployment[..]].concat());
    ground.kubectl(&[&["rollout", "status", "--timeout=120s"], &deployment[..]].concat());
    let names = |names: &[&str]| ground.site(&json!({}), &[], &json!({"names": names}));
    names(&[NAME]);
    let lines = ["2 kinds of nodes asked", "control plane, Debian", "GPUs, Debian", &format!("{NAME} is 192.0.2.7")];
    ground.holds("dns-out", &lines);

    names(&[NAME, "nobody.outside.example"]);
    let told = ["does not resolve nobody.outside.example", "the cluster's own names resolve there", "a pod on n2"];
    ground.fails("dns-out", "dns.others-do-not-resolve", &told);

    // CoreDNS is gone.
    names(&[NAME]);
    ground.kubectl(&[&["scale", "--replicas=0"], &deployment[..]].concat());
    let pods = || ground.kubectl(&["get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "json"]);
    let is_none = || serde_json::from_str::<Value>(&pods()).unwrap()["items"].as_array().unwrap().is_empty();
    ground.until("CoreDNS ends", is_none);
    ground.fails(
        "dns-out",
        "dns.others-do-not-resolve",
        &[&format!("does not resolve {NAME}"), "nor the cluster's own"],
    );
    ground.kubectl(&[&["scale", "--replicas=1"], &deployment[..]].concat());
}
