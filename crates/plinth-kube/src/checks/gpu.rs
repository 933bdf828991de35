//! GPUs as pods get them.

use super::cluster::first;
use super::pods::{Until, pod};
use super::room::Room;
use super::seen;
use crate::api::Call;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::api::Api;
use plinth_model::{NodeName, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::{Value, json};

/// How many GPUs the driver sees; a label of GPU Feature Discovery.
pub(super) const COUNT: &str = "nvidia.com/gpu.count";
/// The runtime class that the toolkit brings.
const RUNTIME: &str = "nvidia";

/// Each node offers as many as its driver sees, times the replicas of time slicing.
pub(super) async fn capacity(
    call: &Call<'_>,
    nodes: &[NodeName],
    replicas: u32,
    resource: &str,
) -> ClientResult<CheckSeen> {
    let all = Api::<Node>::all(call.client());
    let (mut wrong, mut offered) = (Vec::new(), 0);
    for name in nodes {
        let found = call.read(|| all.get_opt(name.as_str())).await?;
        match judged(found.as_ref(), replicas, resource) {
            Ok(gpus) => offered += gpus,
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    let counted =
        format!("{} on {} offered in full", amount(offered as usize, "GPU"), amount(nodes.len() - wrong.len(), "node"));
    Ok(seen(wrong.is_empty(), std::iter::once(counted).chain(first(wrong))))
}

pub(super) fn offered(node: &Node, resource: &str) -> u32 {
    let offered = node.status.as_ref().and_then(|status| status.allocatable.as_ref()?.get(resource));
    offered.and_then(|many| many.0.parse().ok()).unwrap_or(0)
}

pub(super) fn judged(node: Option<&Node>, replicas: u32, resource: &str) -> Result<u32, String> {
    let node = node.ok_or("Kubernetes does not know it")?;
    let offered = offered(node, resource);
    let label = node.metadata.labels.as_ref().and_then(|labels| labels.get(COUNT));
    let count: u32 = label.and_then(|count| count.parse().ok()).ok_or_else(|| format!("it has no label {COUNT}"))?;
    let wanted = count.saturating_mul(replicas);
    if offered == wanted && wanted > 0 {
        Ok(offered)
    } else {
        let times = if replicas > 1 { format!(" times {replicas}") } else { String::new() };
        Err(format!("it offers {offered} {resource}, and its driver sees {count}{times}"))
    }
}

/// A pod with one GPU lists it.
pub(super) async fn pod_runs(call: &Call<'_>, node: &NodeName, image: &str, resource: &str) -> ClientResult<CheckSeen> {
    let nodes = Api::<Node>::all(call.client());
    let offers = call.read(|| nodes.get_opt(node.as_str())).await?.is_some_and(|node| offered(&node, resource) > 0);
    if !offers {
        // No pod would ever find room there, so none is made.
        return Ok(seen(false, [format!("{node} offers no {resource} at all, so no pod gets one")]));
    }
    let one = with_gpu(call, pod("gpu", image, &["nvidia-smi", "-L"], &[node.as_str()]), resource).await?;
    let room = Room::make(call, &format!("gpu-{node}")).await?;
    let seen = carried_out(&room, one, node).await;
    room.leave().await;
    seen
}

async fn carried_out(room: &Room<'_>, pod: Value, node: &NodeName) -> ClientResult<CheckSeen> {
    room.put::<Pod>(pod).await?;
    let name = "gpu".to_owned();
    // Whether there is room is known soon; only an image may take long.
    let late = room.look_for(std::slice::from_ref(&name), Until::Ended, deadlines::CHECK_GPU_FREE).await?;
    if late.iter().any(|late| late.lacks_room) {
        return Ok(CheckSeen::Skipped(format!("every GPU of {node} is in use")));
    }
    let late =
        if late.is_empty() { late } else { room.wait(&[name], Until::Ended, deadlines::CHECK_LARGE_PODS).await? };
    if !late.is_empty() {
        return Ok(seen(false, late.into_iter().map(|late| late.why)));
    }
    let outcome = room.outcome("gpu").await?;
    let gpus: Vec<String> = outcome.log.lines().filter(|line| line.starts_with("GPU ")).map(str::to_owned).collect();
    if outcome.well && !gpus.is_empty() {
        let line = format!("a pod ran on {node} and saw {}", amount(gpus.len(), "GPU"));
        return Ok(seen(true, std::iter::once(line).chain(first(gpus))));
    }
    let said = outcome.log.lines().map(|line| line.chars().take(400).collect()).collect();
    Ok(seen(false, [format!("`nvidia-smi -L` showed no GPU: {}", outcome.why)].into_iter().chain(first(said))))
}

/// The pod, asking for one of the resource.
pub(super) async fn with_gpu(call: &Call<'_>, mut pod: Value, resource: &str) -> ClientResult<Value> {
    pod["spec"]["containers"][0]["resources"] = json!({"limits": {resource: 1}});
    if has_runtime(call).await? {
        pod["spec"]["runtimeClassName"] = json!(RUNTIME);
    }
    Ok(pod)
}

async fn has_runtime(call: &Call<'_>) -> ClientResult<bool> {
    let classes = Api::<RuntimeClass>::all(call.client());
    Ok(call.read(|| classes.get_opt(RUNTIME)).await?.is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const RESOURCE: &str = "nvidia.com/gpu";

    #[test]
    fn offered_is_compared_with_what_the_driver_sees() {
        let node = |offered: &str, count: Option<&str>| -> Node {
            let labels = count.map(|count| json!({COUNT: count})).unwrap_or_else(|| json!({}));
            serde_json::from_value(json!({
                "metadata": {"labels": labels}, "status": {"allocatable": {RESOURCE: offered}},
            }))
            .unwrap()
        };
        assert_eq!(judged(Some(&node("8", Some("8"))), 1, RESOURCE), Ok(8));
        assert_eq!(judged(Some(&node("32", Some("8"))), 4, RESOURCE), Ok(32));
        for (node, replicas, why) in [
            (node("7", Some("8")), 1, "it offers 7 nvidia.com/gpu, and its driver sees 8"),
            (node("8", Some("8")), 4, "it offers 8 nvidia.com/gpu, and its driver sees 8 times 4"),
            (node("0", Some("0")), 1, "it offers 0 nvidia.com/gpu, and its driver sees 0"),
            (node("8", None), 1, "it has no label nvidia.com/gpu.count"),
        ] {
            assert_eq!(judged(Some(&node), replicas, RESOURCE).unwrap_err(), why);
        }
        assert!(judged(None, 1, RESOURCE).is_err());
    }
}
