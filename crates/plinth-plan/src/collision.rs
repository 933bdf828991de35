//! Addresses that clash: with each other, with a gateway, with a DHCP pool; and ranges that overlap.

use crate::address::AddressChoice;
use ipnet::Ipv4Net;
use plinth_model::finding::code;
use plinth_model::inventory::{Inventory, InventoryNode, Network};
use plinth_model::{Finding, Severity};
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, Kubernetes};
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

/// Withdraws addresses that cannot be right, and says why. `member` tells which nodes are in the cluster: theirs are errors.
pub(crate) fn check(
    nodes: &[&InventoryNode],
    member: &[bool],
    choices: &mut [AddressChoice],
    networks: &[Network],
) -> Vec<Finding> {
    let mut findings = against_networks(nodes, member, choices, networks);
    findings.extend(against_each_other(nodes, member, choices));
    findings
}

fn against_networks(
    nodes: &[&InventoryNode],
    member: &[bool],
    choices: &mut [AddressChoice],
    networks: &[Network],
) -> Vec<Finding> {
    let gateways: HashMap<Ipv4Addr, &Network> = networks.iter().filter_map(|n| n.gateway.map(|g| (g, n))).collect();
    let mut findings = Vec::new();
    for (i, choice) in choices.iter_mut().enumerate() {
        let Some(address) = choice.address else { continue };
        if let Some(network) = gateways.get(&address) {
            choice.withdraw(&format!("it is also the gateway of {}", network.name));
            findings.push(is_gateway(&nodes[i].name, member[i], address, network));
        } else if let Some((network, (first, last))) = pool_around(networks, address)
            && member[i]
        {
            let text = format!("{address} is inside the DHCP pool of {}", network.name);
            findings.push(
                Finding::warning(code::BCM_ADDRESS_IN_DHCP_POOL, nodes[i].name.as_str(), text)
                    .evidence(format!("{} hands out {first} to {last}", network.name))
                    .fix("move the pool or the node, so that no other machine gets the same address"),
            );
        }
    }
    findings
}

fn is_gateway(node: &str, member: bool, address: Ipv4Addr, network: &Network) -> Finding {
    let severity = if member { Severity::Error } else { Severity::Warning };
    let text = format!("the recorded address {address} is the gateway of {}", network.name);
    Finding::new(severity, code::BCM_ADDRESS_IS_GATEWAY, node, text)
        .evidence(format!("network {} has gateway {address}", network.name))
        .fix("correct the node or the gateway in BCM, or give the node's address in nodes.overrides")
}

fn pool_around(networks: &[Network], address: Ipv4Addr) -> Option<(&Network, (Ipv4Addr, Ipv4Addr))> {
    networks
        .iter()
        .find_map(|n| n.dhcp_pool.filter(|(first, last)| (*first..=*last).contains(&address)).map(|p| (n, p)))
}

fn against_each_other(nodes: &[&InventoryNode], member: &[bool], choices: &mut [AddressChoice]) -> Vec<Finding> {
    let mut by_address: BTreeMap<Ipv4Addr, Vec<usize>> = BTreeMap::new();
    for (i, choice) in choices.iter().enumerate() {
        if let Some(address) = choice.address {
            by_address.entry(address).or_default().push(i);
        }
    }
    let mut findings = Vec::new();
    for (address, owners) in by_address.into_iter().filter(|(_, owners)| owners.len() > 1) {
        let names: Vec<&str> = owners.iter().map(|&i| nodes[i].name.as_str()).collect();
        let why = format!("claimed by {}", names.join(", "));
        owners.iter().for_each(|&i| choices[i].withdraw(&why));
        let severity = if owners.iter().any(|&i| member[i]) { Severity::Error } else { Severity::Warning };
        findings.push(
            Finding::new(
                severity,
                code::NODES_ADDRESS_DUPLICATE,
                names[0],
                format!("{address} belongs to several machines"),
            )
            .evidence(why)
            .fix("give each machine its own address, in BCM or in nodes.overrides"),
        );
    }
    findings
}

/// Pod and service ranges against the networks that machines are on. BCM may list the pod and service ranges themselves as
/// networks; that is no clash as long as no machine has an address there.
pub(crate) fn ranges(kubernetes: &Kubernetes, inventory: &Inventory) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (what, range) in [("pods", kubernetes.pods), ("services", kubernetes.services)] {
        let Some(range) = range else { continue };
        let subject = format!("kubernetes.network.{what}");
        let listed = |n: &&Network| n.cidr.is_some_and(|c| c.prefix_len() > 0 && overlap(c, range) && c != range);
        if let Some((node, interface, address)) = machine_inside(inventory, range) {
            let text = format!("{range} holds the address of a machine");
            findings.push(
                Finding::error(code::KUBERNETES_RANGE_IN_USE, subject, text)
                    .evidence(format!("{node} {interface} has {address}"))
                    .fix("choose a range that no machine has an address in"),
            );
        } else if let Some(network) = inventory.networks.iter().find(listed) {
            let text = format!("{range} overlaps network {}", network.name);
            findings.push(
                Finding::warning(code::KUBERNETES_RANGE_OVERLAPS, subject, text)
                    .evidence(format!("{} is {}", network.name, network.cidr.map_or(String::new(), |c| c.to_string())))
                    .fix("choose a range that overlaps no network of the site"),
            );
        }
    }
    findings
}

/// Addresses of interfaces that are none, so that nothing can be compared with them.
pub(crate) fn unreadable(inventory: &Inventory) -> Option<Finding> {
    let is_address = |text: &str| text.is_empty() || text.parse::<IpAddr>().is_ok();
    let interfaces = inventory.nodes.iter().flat_map(|node| node.interfaces.iter().map(move |one| (&node.name, one)));
    let wrong = interfaces.filter(|(_, one)| !is_address(&one.address));
    let evidence: Vec<String> = wrong.map(|(node, one)| format!("{node} {} has `{}`", one.name, one.address)).collect();
    let first = evidence.first()?.split(' ').next()?.to_owned();
    let text = "what BCM records as addresses of interfaces is none, so that no clash with them can be seen";
    let mut finding = Finding::warning(code::BCM_ADDRESS_UNREADABLE, first, text).fix("correct them in cmsh");
    finding.evidence = evidence;
    Some(finding)
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

fn machine_inside(inventory: &Inventory, range: Ipv4Net) -> Option<(&str, &str, &str)> {
    inventory.nodes.iter().find_map(|node| {
        let inside = |a: &str| a.parse::<Ipv4Addr>().is_ok_and(|a| range.contains(&a));
        node.interfaces
            .iter()
            .find(|i| inside(&i.address))
            .map(|i| (node.name.as_str(), i.name.as_str(), i.address.as_str()))
    })
}

/// Addresses that the cluster will announce by ARP, against machines and DHCP pools: two machines that answer for one address are
/// found late and by nobody's message.
pub(crate) fn announced(desired: &Desired, inventory: &Inventory) -> Vec<Finding> {
    let mut ranges: Vec<(&str, (Ipv4Addr, Ipv4Addr))> = Vec::new();
    if let ApiEndpoint::KubeVip { address, .. } = desired.kubernetes.endpoint {
        ranges.push(("kubernetes.api.endpoint.kubeVip.address", (address, address)));
    }
    let balanced = desired.platform.balancer_ranges().into_iter();
    ranges.extend(balanced.map(|range| ("platform.loadBalancer.addresses", range)));
    ranges.iter().flat_map(|(subject, range)| taken(subject, *range, inventory)).collect()
}

fn taken(subject: &str, (first, last): (Ipv4Addr, Ipv4Addr), inventory: &Inventory) -> Option<Finding> {
    let inside = |address: Ipv4Addr| (first..=last).contains(&address);
    let machine = inventory.nodes.iter().find_map(|node| {
        let its = node.interfaces.iter().find(|i| i.address.parse().is_ok_and(inside))?;
        Some(format!("{} {} has {}", node.name, its.name, its.address))
    });
    let gateway = || {
        let network = inventory.networks.iter().find(|n| n.gateway.is_some_and(inside))?;
        Some(format!("it is the gateway of {}", network.name))
    };
    let machine = machine.or_else(gateway);
    if let Some(machine) = machine {
        let text = "an address that the cluster would announce belongs to a machine";
        let finding = Finding::error(code::KUBERNETES_ANNOUNCED_IN_USE, subject, text).evidence(machine);
        return Some(finding.fix("choose addresses that no machine has"));
    }
    let overlapping = |n: &&Network| n.dhcp_pool.is_some_and(|(low, high)| low <= last && first <= high);
    let network = inventory.networks.iter().find(overlapping)?;
    let text = format!("an address that the cluster would announce is in the DHCP pool of {}", network.name);
    let finding = Finding::warning(code::KUBERNETES_ANNOUNCED_IN_DHCP_POOL, subject, text);
    Some(finding.fix("move the pool, or choose addresses outside it, so that no machine gets one of them"))
}
