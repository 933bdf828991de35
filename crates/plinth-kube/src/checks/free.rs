//! Whether a whole GPU is free. A training that asks for one within its project's quota makes Run:ai's scheduler take it from somebody's
//! job when all are in use (NVIDIA Run:ai docs 2.25, "Over Quota, Fairness and Preemption"): a check must not do that. Fractions count as
//! whole GPUs here, since Run:ai holds them with a pod of its own.

use super::names::is_ready;
use crate::api::Call;
use k8s_openapi::api::core::v1::{Node, Pod, PodSpec};
use kube::api::{Api, ListParams};
use plinth_model::amount;
use plinth_model::steps::WHOLE_GPU;
use plinth_world::ClientResult;
use plinth_world::kube::CheckSeen;
use std::collections::BTreeMap;

/// Pods that hold what they asked for.
const HOLDING: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// Holds where so many GPUs of one node are free, and where no node offers any, which other checks tell.
pub(super) async fn check(call: &Call<'_>, gpus: u32) -> ClientResult<CheckSeen> {
    if gpus == 0 {
        return Ok(CheckSeen::Holds(Vec::new()));
    }
    let (nodes, pods) = (Api::<Node>::all(call.client()), Api::<Pod>::all(call.client()));
    let (all, holding) = (ListParams::default(), ListParams::default().fields(HOLDING));
    let nodes = call.read(|| nodes.list(&all)).await?.items;
    let pods = call.read(|| pods.list(&holding)).await?.items;
    Ok(judged(&nodes, &pods, gpus))
}

fn judged(nodes: &[Node], pods: &[Pod], gpus: u32) -> CheckSeen {
    let gpus = i64::from(gpus);
    let mut left: BTreeMap<&str, i64> = nodes.iter().filter_map(offers).collect();
    let offered: i64 = left.values().sum();
    for spec in pods.iter().filter_map(|pod| pod.spec.as_ref()) {
        if let Some(free) = spec.node_name.as_deref().and_then(|node| left.get_mut(node)) {
            *free -= asked(spec);
        }
    }
    if offered > 0 && left.values().all(|free| *free < gpus) {
        let offered = amount(usize::try_from(offered).unwrap_or_default(), "GPU");
        let reason = format!("no node has {gpus} of {offered} free, and a training would take it from somebody's job");
        return CheckSeen::Skipped(reason);
    }
    CheckSeen::Holds(Vec::new())
}

/// What a node has for new pods; none where it takes none.
fn offers(node: &Node) -> Option<(&str, i64)> {
    let taken_out = node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
    let offered = i64::from(super::gpu::offered(node, WHOLE_GPU));
    (is_ready(node) && !taken_out && offered > 0).then_some((node.metadata.name.as_deref()?, offered))
}

/// Containers that begin before the others, and end, share what they ask for with those.
fn asked(spec: &PodSpec) -> i64 {
    let one = |container: &k8s_openapi::api::core::v1::Container| {
        let asked = container.resources.as_ref().and_then(|all| all.limits.as_ref()?.get(WHOLE_GPU));
        asked.and_then(|many| many.0.parse::<i64>().ok()).unwrap_or(0)
    };
    let first = spec.init_containers.iter().flatten().map(one).max().unwrap_or(0);
    spec.containers.iter().map(one).sum::<i64>().max(first)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(name: &str, gpus: &str, ready: &str) -> Node {
        serde_json::from_value(json!({"metadata": {"name": name}, "status": {
            "allocatable": {WHOLE_GPU: gpus}, "conditions": [{"type": "Ready", "status": ready}]}}))
        .unwrap()
    }

    fn pod(node: &str, gpus: &str) -> Pod {
        let containers = json!([{"name": "a", "resources": {"limits": {WHOLE_GPU: gpus}}}, {"name": "b"}]);
        serde_json::from_value(json!({"metadata": {}, "spec": {"nodeName": node, "containers": containers}})).unwrap()
    }

    #[test]
    fn a_cluster_whose_gpus_are_all_in_use_is_left_alone() {
        let nodes = [node("a", "2", "True"), node("b", "1", "True"), node("dead", "8", "False")];
        let skips = |pods: &[Pod], gpus| matches!(judged(&nodes, pods, gpus), CheckSeen::Skipped(_));
        assert!(!skips(&[], 1));
        assert!(!skips(&[pod("a", "1"), pod("b", "1")], 1), "one is left on a");
        assert!(skips(&[pod("a", "1"), pod("b", "1")], 2), "and not two");
        assert!(skips(&[pod("a", "2"), pod("b", "1"), pod("elsewhere", "1")], 1), "a dead node gives none");
        assert!(matches!(judged(&[node("a", "0", "True")], &[], 1), CheckSeen::Holds(_)), "other checks tell that");
    }
}
