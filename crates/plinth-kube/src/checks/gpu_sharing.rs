//! GPUs that are shared by time, as NVIDIA's device plugin and GPU Feature Discovery say it (k8s-device-plugin v0.17): the count of the
//! resource is multiplied, the label of replicas says how often, and the product gets `-SHARED` unless shares have a name of their own.
//! Not covered: that two pods are on the very same GPU; the plugin spreads shares over the GPUs that are least shared.

use super::cluster::first;
use super::gpu::{judged, offered, with_gpu};
use super::names::is_ready;
use super::pods::{Until, pod};
use super::room::Room;
use super::seen;
use crate::api::Call;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::Api;
use plinth_model::steps::WHOLE_GPU;
use plinth_model::{NodeName, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::json;

/// What kind of GPU it is.
const PRODUCT: &str = "nvidia.com/gpu.product";
/// The end of its value where a GPU is shared and called like a whole one.
const SHARED: &str = "-SHARED";
/// How often each GPU is offered.
const REPLICAS: &str = "nvidia.com/gpu.replicas";
/// Pods that run at the same time.
const PODS: usize = 2;
/// Nodes that are tried, when no shares are left.
const CANDIDATES: usize = 10;
/// Lists its GPU, says so, and stays until the namespace goes.
const SHARE: &str = "nvidia-smi -L && echo done > /work/done && exec sleep 600";

/// Judges every node, then lets two pods share on the first that has shares left.
pub(super) async fn check(
    call: &Call<'_>,
    nodes: &[NodeName],
    (replicas, resource): (u32, &str),
    image: &str,
) -> ClientResult<CheckSeen> {
    let all = Api::<Node>::all(call.client());
    let (mut wrong, mut shares, mut candidates, mut away) = (Vec::new(), 0, Vec::new(), Vec::new());
    for name in nodes {
        let found = call.read(|| all.get_opt(name.as_str())).await?;
        if found.as_ref().is_some_and(|node| !is_ready(node)) {
            // A pod would be bound to it and never start; that it is dead is told by a check of its own.
            away.push(format!("{name}: not asked, it is not Ready"));
            continue;
        }
        match shared(found.as_ref(), replicas, resource) {
            Ok(many) => {
                shares += many;
                candidates.push(name.as_str());
            }
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    let counted = format!(
        "{} of {resource} on {}, each GPU {replicas} times",
        amount(shares as usize, "share"),
        amount(candidates.len(), "node")
    );
    if !wrong.is_empty() {
        return Ok(seen(false, std::iter::once(counted).chain(first(wrong)).chain(first(away))));
    }
    if candidates.is_empty() {
        return Ok(CheckSeen::Skipped(away.join("; ")));
    }
    let counted = std::iter::once(counted).chain(first(away)).collect::<Vec<_>>().join("; ");
    let room = Room::make(call, "gpu-sharing").await?;
    let seen = carried_out(&room, &candidates, resource, image).await;
    room.leave().await;
    seen.map(|seen| with(seen, counted))
}

/// What the pods say, behind what the nodes say.
fn with(seen: CheckSeen, counted: String) -> CheckSeen {
    match seen {
        CheckSeen::Holds(evidence) => CheckSeen::Holds(std::iter::once(counted).chain(evidence).collect()),
        CheckSeen::Fails { evidence, code } => {
            CheckSeen::Fails { evidence: std::iter::once(counted).chain(evidence).collect(), code }
        }
        CheckSeen::Skipped(why) => CheckSeen::Skipped(format!("{counted}; {why}")),
    }
}

/// Shares that a node offers, if it offers them as it should and says so.
fn shared(node: Option<&Node>, replicas: u32, resource: &str) -> Result<u32, String> {
    let shares = judged(node, replicas, resource)?;
    let node = node.ok_or("Kubernetes does not know it")?;
    let label = |name: &str| node.metadata.labels.as_ref().and_then(|labels| labels.get(name)).map(String::as_str);
    if let Some(said) = label(REPLICAS).filter(|said| **said != *replicas.to_string()) {
        return Err(format!("its label {REPLICAS} is {said}, and {replicas} are wanted"));
    }
    let product = label(PRODUCT).ok_or_else(|| format!("it has no label {PRODUCT}"))?;
    if resource == WHOLE_GPU {
        if !product.ends_with(SHARED) {
            return Err(format!(
                "its label {PRODUCT} is {product}, without {SHARED}: GPU Feature Discovery does not know that its GPUs are shared"
            ));
        }
    } else if offered(node, WHOLE_GPU) > 0 {
        return Err(format!("it offers {} {WHOLE_GPU} beside {resource}", offered(node, WHOLE_GPU)));
    }
    Ok(shares)
}

/// The two are on one node, the first on which both find a share; both are ready in one and the same list, so they run at the same time.
async fn carried_out(room: &Room<'_>, nodes: &[&str], resource: &str, image: &str) -> ClientResult<CheckSeen> {
    for (place, node) in nodes.iter().take(CANDIDATES).enumerate() {
        let names: Vec<String> = (1..=PODS).map(|pod| format!("share-{place}-{pod}")).collect();
        for name in &names {
            let mut one = with_gpu(room.call, pod(name, image, &["sh", "-c", SHARE], &[node]), resource).await?;
            let done = json!({"exec": {"command": ["sh", "-c", "test -e /work/done"]}});
            one["spec"]["containers"][0]["readinessProbe"] = done;
            one["spec"]["containers"][0]["readinessProbe"]["periodSeconds"] = json!(1);
            room.put::<Pod>(one).await?;
        }
        let mut late = room.look_for(&names, Until::Ready, deadlines::CHECK_SHARE_FREE).await?;
        if late.iter().any(|late| late.lacks_room) {
            // One of them may have got a share, which users wait for.
            room.end(&names).await?;
            continue;
        }
        if !late.is_empty() {
            late = room.wait(&names, Until::Ready, deadlines::CHECK_LARGE_PODS).await?;
        }
        if late.iter().any(|late| !late.has_node) {
            return Err(room.not_placed(&late));
        }
        if !late.is_empty() {
            return Ok(seen(false, late.into_iter().map(|late| late.why)));
        }
        return listed(room, node, &names).await;
    }
    Ok(CheckSeen::Skipped("no node has two shares left".to_owned()))
}

async fn listed(room: &Room<'_>, node: &str, names: &[String]) -> ClientResult<CheckSeen> {
    let mut evidence = Vec::new();
    for name in names {
        let log = room.log(name).await?;
        let Some(gpu) = log.lines().find(|line| line.starts_with("GPU ")) else {
            let said: String = log.trim().chars().take(400).collect();
            return Ok(seen(false, [format!("pod {name} on {node}: `nvidia-smi -L` showed no GPU: {said}")]));
        };
        evidence.push(format!("{name}: {gpu}"));
    }
    let line = format!("{} with a share each ran at the same time on {node}", amount(names.len(), "pod"));
    Ok(seen(true, std::iter::once(line).chain(evidence)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn node(offered: &[(&str, &str)], labels: &[(&str, &str)]) -> Node {
        let map = |pairs: &[(&str, &str)]| -> serde_json::Value {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let json = json!({"metadata": {"labels": map(labels)}, "status": {"allocatable": map(offered)}});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_it_may_wait_for_fits_into_its_deadline() {
        let looks = deadlines::CHECK_SHARE_FREE * u32::try_from(CANDIDATES).unwrap();
        let most = deadlines::CHECK_ROOM + looks + deadlines::CHECK_LARGE_PODS;
        let allowed = plinth_model::steps::deadlines::CHECK_GPU;
        // What is left is for requests.
        assert!(most.as_secs() + 30 <= u64::from(allowed), "{most:?} of {allowed} s");
    }

    #[test]
    fn a_shared_gpu_is_counted_and_called_so() {
        let count = ("nvidia.com/gpu.count", "8");
        let called = |product| [count, (REPLICAS, "4"), (PRODUCT, product)];
        let whole = |labels: &[(&str, &str)]| shared(Some(&node(&[(WHOLE_GPU, "32")], labels)), 4, WHOLE_GPU);
        assert_eq!(whole(&called("NVIDIA-H100-80GB-HBM3-SHARED")), Ok(32));
        let renamed = "nvidia.com/gpu.shared";
        let with_name = |offered: &[(&str, &str)]| shared(Some(&node(offered, &called("H100"))), 4, renamed);
        assert_eq!(with_name(&[(renamed, "32"), (WHOLE_GPU, "0")]), Ok(32));
        let cases = [
            (whole(&called("NVIDIA-H100-80GB-HBM3")), "without -SHARED"),
            (
                whole(&[count, (REPLICAS, "2"), (PRODUCT, "H100-SHARED")]),
                "nvidia.com/gpu.replicas is 2, and 4 are wanted",
            ),
            (whole(&[count]), "it has no label nvidia.com/gpu.product"),
            (
                with_name(&[(renamed, "32"), (WHOLE_GPU, "8")]),
                "it offers 8 nvidia.com/gpu beside nvidia.com/gpu.shared",
            ),
            (with_name(&[(WHOLE_GPU, "8")]), "it offers 0 nvidia.com/gpu.shared, and its driver sees 8 times 4"),
        ];
        for (said, why) in cases {
            assert!(said.as_ref().unwrap_err().contains(why), "{said:?}");
        }
    }
}
