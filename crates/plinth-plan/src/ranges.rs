//! Ranges and sizes that only the inventory decides: the production network when the site gives its name, the largest packet, and how
//! many nodes there are. What the site file alone decides was judged when it was read.

use crate::address::Rules;
use crate::select::Members;
use ipnet::Ipv4Net;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::inventory::Inventory;
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, Engine, ProductionNetwork};
use std::net::Ipv4Addr;

/// What VXLAN takes of a packet (Calico documentation, "Configure MTU").
const VXLAN: u32 = 50;

pub(crate) fn check(desired: &Desired, inventory: &Inventory, rules: &Rules<'_>, members: &Members) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let (ProductionNetwork::Name(name), Some(range)) = (&desired.networks.production, rules.range()) {
        findings.extend(overlaps(desired, name, range));
        findings.extend(shared(desired, name, range));
    }
    if desired.kubernetes.engine != Engine::Existing {
        findings.extend(packets(desired, inventory, rules));
        findings.extend(capacity(desired, members));
    }
    findings
}

fn overlaps(desired: &Desired, name: &str, production: Ipv4Net) -> Vec<Finding> {
    let network = &desired.kubernetes;
    let cluster = [("pods", network.pods), ("services", network.services)];
    let mut ranges: Vec<(String, Ipv4Net)> =
        cluster.into_iter().filter_map(|(what, net)| Some((format!("kubernetes.network.{what}"), net?))).collect();
    let forbidden = desired.networks.forbidden.iter().enumerate();
    ranges.extend(forbidden.map(|(at, net)| (format!("networks.forbidden[{at}]"), *net)));
    let clashing = ranges.into_iter().filter(|(_, net)| net.contains(&production) || production.contains(net));
    let finding = |(path, net): (String, Ipv4Net)| {
        Finding::error(
            code::SITE_NETWORKS_OVERLAP,
            path,
            format!("{net} overlaps the production network {name} ({production})"),
        )
        .evidence(format!("the inventory says that {name} is {production}"))
        .fix("choose a range that is used nowhere else in the site")
    };
    clashing.map(finding).collect()
}

/// Addresses that the cluster announces or is reached at, in a production network of which the site knows the name alone.
fn shared(desired: &Desired, name: &str, production: Ipv4Net) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ranges: Vec<(String, (Ipv4Addr, Ipv4Addr))> = Vec::new();
    match &desired.kubernetes.endpoint {
        ApiEndpoint::NodeProxy => {}
        ApiEndpoint::KubeVip { address, .. } => {
            let path = "kubernetes.api.endpoint.kubeVip.address".to_owned();
            if !production.contains(address) {
                let text =
                    format!("{address} is outside the production network {name} ({production}), where ARP is answered");
                findings.push(
                    Finding::error(code::SITE_ADDRESS_OUTSIDE, path.clone(), text)
                        .fix("choose a free address of the production network"),
                );
            }
            ranges.push((path, (*address, *address)));
        }
        ApiEndpoint::LoadBalancer { address, .. } => {
            ranges.push(("kubernetes.api.endpoint.loadBalancer.address".to_owned(), (*address, *address)));
        }
    }
    let balanced = desired.platform.balancer_ranges().into_iter().enumerate();
    ranges.extend(balanced.map(|(at, range)| (format!("platform.loadBalancer.addresses[{at}]"), range)));
    findings.extend(ranges.into_iter().filter_map(|(path, range)| at_edge(path, range, name, production)));
    findings
}

fn at_edge(path: String, (first, last): (Ipv4Addr, Ipv4Addr), name: &str, production: Ipv4Net) -> Option<Finding> {
    let edges = [production.network(), production.broadcast()];
    let edge = edges.into_iter().filter(|_| production.prefix_len() < 31).find(|edge| (first..=last).contains(edge))?;
    let text = format!("{edge} is the first or last address of the production network {name} ({production})");
    Some(Finding::error(code::SITE_ADDRESS_EDGE, path, text).fix("leave that address out"))
}

/// The plugin's packets against those of the production network. VXLAN, which Kubespray sets up, needs room for itself.
fn packets(desired: &Desired, inventory: &Inventory, rules: &Rules<'_>) -> Option<Finding> {
    let wanted = desired.kubernetes.mtu?;
    let network = inventory.networks.iter().filter(|n| rules.is_production(n) && n.mtu > 0).min_by_key(|n| n.mtu)?;
    let path = "kubernetes.network.mtu";
    let evidence = format!("network {} has MTU {}", network.name, network.mtu);
    let fix =
        format!("write {} or less, or remove the key: then the plugin finds out", network.mtu.saturating_sub(VXLAN));
    if wanted > network.mtu {
        let text =
            format!("packets of {wanted} bytes do not fit into the production network, which carries {}", network.mtu);
        return Some(Finding::error(code::KUBERNETES_MTU, path, text).evidence(evidence).fix(fix));
    }
    let is_plain = ["calico_vxlan_mode", "calico_ipip_mode"]
        .iter()
        .all(|mode| desired.kubernetes.extra_vars.get(*mode).is_some_and(|value| value == "Never"));
    (wanted + VXLAN > network.mtu && !is_plain).then(|| {
        let text = format!("packets of {wanted} bytes leave no room for VXLAN, which adds {VXLAN}");
        Finding::warning(code::KUBERNETES_MTU, path, text).evidence(evidence).fix(fix)
    })
}

/// Every node takes one part of the pod range.
fn capacity(desired: &Desired, members: &Members) -> Option<Finding> {
    let (pods, prefix) = (desired.kubernetes.pods?, desired.kubernetes.node_prefix);
    let room = 1_u64 << u32::from(prefix.saturating_sub(pods.prefix_len())).min(63);
    let mut nodes: Vec<usize> = members.control_plane.iter().chain(&members.workers).copied().collect();
    nodes.sort_unstable();
    nodes.dedup();
    (nodes.len() as u64 > room).then(|| {
        let part = if room == 1 { "node" } else { "nodes" };
        let text =
            format!("the pod range {pods} has room for {room} {part} of /{prefix}; the cluster has {}", nodes.len());
        Finding::error(code::SITE_POD_CAPACITY, "kubernetes.network.pods", text)
            .fix("use a larger pod range or a longer `nodePrefix`")
    })
}
