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
use serde_json::json;

/// What a whole GPU is called among the resources of a node.
const RESOURCE: &str = "nvidia.com/gpu";
/// How many of them the driver sees; a label of GPU Feature Discovery.
const COUNT: &str = "nvidia.com/gpu.count";
/// The runtime class that the toolkit brings.
const RUNTIME: &str = "nvidia";

/// Each node offers as many as its driver sees, times the replicas of time slicing.
pub(super) async fn capacity(call: &Call<'_>, nodes: &[NodeName], replicas: u32) -> ClientResult<CheckSeen> {
    let all = Api::<Node>::all(call.client());
    let (mut wrong, mut offered) = (Vec::new(), 0);
    for name in nodes {
        let found = call.read(|| all.get_opt(name.as_str())).await?;
        match judged(found.as_ref(), replicas) {
            Ok(gpus) => offered += gpus,
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    let counted =
        format!("{} on {} offered in full", amount(offered as usize, "GPU"), amount(nodes.len() - wrong.len(), "node"));
    Ok(seen(wrong.is_empty(), std::iter::once(counted).chain(first(wrong))))
}

fn judged(node: Option<&Node>, replicas: u32) -> Result<u32, String> {
    let node = node.ok_or("Kubernetes does not know it")?;
    let offered = node.status.as_ref().and_then(|status| status.allocatable.as_ref()?.get(RESOURCE));
    let offered: u32 = offered.and_then(|many| many.0.parse().ok()).unwrap_or(0);
    let label = node.metadata.labels.as_ref().and_then(|labels| labels.get(COUNT));
    let count: u32 = label.and_then(|count| count.parse().ok()).ok_or_else(|| format!("it has no label {COUNT}"))?;
    let wanted = count.saturating_mul(replicas);
    if offered == wanted && wanted > 0 {
        Ok(offered)
    } else {
        let times = if replicas > 1 { format!(" times {replicas}") } else { String::new() };
        Err(format!("it offers {offered} {RESOURCE}, and its driver sees {count}{times}"))
    }
}

/// A pod with one GPU lists it.
pub(super) async fn pod_runs(call: &Call<'_>, node: &NodeName, image: &str) -> ClientResult<CheckSeen> {
    let room = Room::make(call, &format!("gpu-{node}")).await?;
    let mut one = pod("gpu", image, &["nvidia-smi", "-L"], Some(node));
    one["spec"]["containers"][0]["resources"] = json!({"limits": {RESOURCE: 1}});
    if has_runtime(call).await? {
        one["spec"]["runtimeClassName"] = json!(RUNTIME);
    }
    room.put::<Pod>(one).await?;
    let late = room.wait("gpu", Until::Ended, deadlines::CHECK_LARGE_PODS).await?;
    if !late.is_empty() {
        return Ok(seen(false, late));
    }
    let (well, log) = room.outcome("gpu").await?;
    let gpus: Vec<String> = log.lines().filter(|line| line.starts_with("GPU ")).map(str::to_owned).collect();
    let holds = well && !gpus.is_empty();
    let line = if holds {
        format!("a pod ran on {node} and saw {}", amount(gpus.len(), "GPU"))
    } else {
        format!("a pod ran on {node}, and `nvidia-smi -L` showed no GPU")
    };
    let said = if gpus.is_empty() { log.lines().map(|line| line.chars().take(400).collect()).collect() } else { gpus };
    Ok(seen(holds, std::iter::once(line).chain(first(said))))
}

async fn has_runtime(call: &Call<'_>) -> ClientResult<bool> {
    let classes = Api::<RuntimeClass>::all(call.client());
    Ok(call.read(|| classes.get_opt(RUNTIME)).await?.is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn offered_is_compared_with_what_the_driver_sees() {
        let node = |offered: &str, count: Option<&str>| -> Node {
            let labels = count.map(|count| json!({COUNT: count})).unwrap_or_else(|| json!({}));
            serde_json::from_value(json!({
                "metadata": {"labels": labels}, "status": {"allocatable": {RESOURCE: offered}},
            }))
            .unwrap()
        };
        assert_eq!(judged(Some(&node("8", Some("8"))), 1), Ok(8));
        assert_eq!(judged(Some(&node("32", Some("8"))), 4), Ok(32));
        for (node, replicas, why) in [
            (node("7", Some("8")), 1, "it offers 7 nvidia.com/gpu, and its driver sees 8"),
            (node("8", Some("8")), 4, "it offers 8 nvidia.com/gpu, and its driver sees 8 times 4"),
            (node("0", Some("0")), 1, "it offers 0 nvidia.com/gpu, and its driver sees 0"),
            (node("8", None), 1, "it has no label nvidia.com/gpu.count"),
        ] {
            assert_eq!(judged(Some(&node), replicas).unwrap_err(), why);
        }
        assert!(judged(None, 1).is_err());
    }
}
