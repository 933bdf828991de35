//! InfiniBand devices in pods: virtual functions of the adapters, as the SR-IOV device plugin hands them out.
//!
//! The plugin tells the pod the PCI addresses of its functions in `PCIDEVICE_<RESOURCE>` (sriov-network-device-plugin v3), and the kernel
//! says below them which RDMA device each is and what its port speaks. Not covered: traffic between two pods.

use super::cluster::first;
use super::gpu::offered;
use super::names::is_ready;
use super::pods::{Until, pod};
use super::room::Room;
use super::seen;
use crate::api::Call;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::Api;
use plinth_model::{NodeName, amount};
use plinth_world::kube::CheckSeen;
use plinth_world::{ClientResult, deadlines};
use serde_json::{Map, Value, json};

/// Attaches a pod to networks (Multus).
const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";
/// What the port of an InfiniBand device speaks.
const INFINIBAND: &str = "InfiniBand";
/// Says `verbs NAME` for each device of /dev/infiniband, and `port ADDRESS DEVICE LAYER STATE` for each function.
const LOOK: &str = r#"
for file in /dev/infiniband/uverbs*; do [ -e "$file" ] && echo "verbs ${file##*/}"; done
for address in $(env | sed -n 's/^PCIDEVICE_[A-Z0-9_]*=\([0-9a-fA-F:.,]*\)$/\1/p' | tr ',' ' '); do
    found=
    for device in /sys/bus/pci/devices/"$address"/infiniband/*; do
        [ -d "$device" ] || continue
        found=1
        echo "port $address ${device##*/} $(cat "$device/ports/1/link_layer") $(cat "$device/ports/1/state")"
    done
    [ -n "$found" ] || echo "port $address none"
done
"#;

/// A pod on each node asks for one of each resource.
pub(super) async fn check(
    call: &Call<'_>,
    nodes: &[NodeName],
    (resources, networks): (&[String], &[String]),
    image: &str,
) -> ClientResult<CheckSeen> {
    let all = Api::<Node>::all(call.client());
    let (mut wrong, mut asked, mut away) = (Vec::new(), Vec::new(), Vec::new());
    for name in nodes {
        let found = call.read(|| all.get_opt(name.as_str())).await?;
        match found.map(|node| (is_ready(&node), lacking(&node, resources))) {
            None => wrong.push(format!("{name}: Kubernetes does not know it")),
            // A node that is dead says nothing about its adapters, and has a check of its own.
            Some((false, _)) => away.push(format!("{name}: not asked, it is not Ready")),
            Some((true, lacking)) if !lacking.is_empty() => {
                wrong.push(format!("{name}: it offers no {}", lacking.join(", ")));
            }
            Some(_) => asked.push(name.as_str()),
        }
    }
    if asked.is_empty() && wrong.is_empty() {
        return Ok(CheckSeen::Skipped(away.join("; ")));
    }
    if asked.is_empty() {
        return Ok(seen(false, first(wrong).into_iter().chain(first(away))));
    }
    let room = Room::make(call, "rdma").await?;
    let seen = carried_out(&room, &asked, (resources, networks), image, (wrong, away)).await;
    room.leave().await;
    seen
}

fn lacking(node: &Node, resources: &[String]) -> Vec<String> {
    resources.iter().filter(|resource| offered(node, resource) == 0).cloned().collect()
}

async fn carried_out(
    room: &Room<'_>,
    nodes: &[&str],
    (resources, networks): (&[String], &[String]),
    image: &str,
    (mut wrong, mut busy): (Vec<String>, Vec<String>),
) -> ClientResult<CheckSeen> {
    let names: Vec<String> = nodes.iter().map(|node| format!("rdma-{node}")).collect();
    let limits: Map<String, Value> = resources.iter().map(|resource| (resource.clone(), json!("1"))).collect();
    let one = |(name, node): (&String, &&str)| {
        let mut one = pod(name, image, &["sh", "-c", LOOK], &[node]);
        one["spec"]["containers"][0]["resources"] = json!({"limits": limits});
        if !networks.is_empty() {
            one["metadata"]["annotations"] = json!({NETWORKS: networks.join(",")});
        }
        one
    };
    room.put_all::<Pod>(names.iter().zip(nodes).map(one).collect()).await?;
    let limit = deadlines::CHECK_PODS + deadlines::CHECK_POD * u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let late = room.wait(&names, Until::Ended, limit).await?;
    let (unplaced, late): (Vec<_>, Vec<_>) = late.into_iter().partition(|late| !late.has_node && !late.lacks_room);
    if !unplaced.is_empty() {
        return Err(room.not_placed(&unplaced));
    }
    let mut good = Vec::new();
    for (name, node) in names.iter().zip(nodes) {
        match late.iter().find(|late| late.is(name)) {
            // The node offers them, so others have them all; or it has no room for another pod.
            Some(late) if late.lacks_room => {
                let lacks = resources.iter().any(|one| late.why.contains(&format!("Insufficient {one}")));
                let why = if lacks { "all functions are in use" } else { late.why.as_str() };
                busy.push(format!("{node}: not asked, {why}"));
            }
            Some(late) => wrong.push(late.why.clone()),
            None => match judged(&room.outcome(name).await?.log, resources.len()) {
                Ok(line) => good.push(format!("{node}: {line}")),
                Err(why) => wrong.push(format!("{node}: {why}")),
            },
        }
    }
    if wrong.is_empty() && good.is_empty() {
        return Ok(CheckSeen::Skipped(busy.join("; ")));
    }
    let functions = amount(resources.len(), "virtual function");
    let counted = format!("pods on {} of {} got {functions}", good.len(), amount(nodes.len(), "node"));
    Ok(seen(wrong.is_empty(), std::iter::once(counted).chain(first(wrong)).chain(first(busy)).chain(first(good))))
}

/// What a pod found, if each of so many functions is an InfiniBand device that it may open.
fn judged(log: &str, functions: usize) -> Result<String, String> {
    let words = |sign: &'static str| log.lines().filter_map(move |line| line.strip_prefix(sign)?.strip_prefix(' '));
    let ports: Vec<Vec<&str>> = words("port").map(|line| line.split_whitespace().collect()).collect();
    if ports.len() != functions {
        return Err(format!("the pod got {} of {}", ports.len(), amount(functions, "virtual function")));
    }
    for port in &ports {
        match port.as_slice() {
            [_, _, INFINIBAND, ..] => {}
            [address, device, layer, ..] => {
                return Err(format!("{device} at {address} speaks {layer}, not {INFINIBAND}"));
            }
            other => return Err(format!("no RDMA device belongs to {}", other.first().unwrap_or(&"it"))),
        }
    }
    let verbs = words("verbs").count();
    if verbs < functions {
        return Err(format!("/dev/infiniband has {verbs} of {} in the pod", amount(functions, "device")));
    }
    Ok(ports.iter().map(|port| port[1..].join(" ")).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_function_must_be_an_infiniband_device_that_the_pod_may_open() {
        let good = "verbs uverbs3\nverbs uverbs4\nport 0000:18:00.1 mlx5_3 InfiniBand 4: ACTIVE\nport 0000:2a:00.1 mlx5_4 InfiniBand 1: DOWN\n";
        assert_eq!(judged(good, 2).unwrap(), "mlx5_3 InfiniBand 4: ACTIVE, mlx5_4 InfiniBand 1: DOWN");
        let cases = [
            (
                "verbs uverbs3\nport 0000:18:00.1 mlx5_3 Ethernet 4: ACTIVE\n",
                "mlx5_3 at 0000:18:00.1 speaks Ethernet, not InfiniBand",
            ),
            ("port 0000:18:00.1 mlx5_3 InfiniBand 4: ACTIVE\n", "/dev/infiniband has 0 of 1 device in the pod"),
            ("verbs uverbs3\nport 0000:18:00.1 none\n", "no RDMA device belongs to 0000:18:00.1"),
            ("verbs uverbs3\n", "the pod got 0 of 1 virtual function"),
        ];
        for (log, why) in cases {
            assert_eq!(judged(log, 1).unwrap_err(), why);
        }
    }
}
