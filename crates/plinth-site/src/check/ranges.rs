//! Ranges judged alone: what Kubernetes, kubeadm or the network plugin would refuse later, and addresses that no cluster can have.

use crate::defaults;
use crate::diagnostics::Diagnostics;
use crate::raw::Site;
use crate::raw::kubernetes::{Engine, Plugin};
use ipnet::Ipv4Net;
use plinth_model::Finding;
use plinth_model::finding::code;
use std::net::Ipv4Addr;

/// Longest prefix of a service range: kubeadm wants ten addresses (kubeadm v1.31, `MinimumAddressesInServiceSubnet`).
const SMALLEST_SERVICES: u8 = 28;
/// Shortest prefix of a service range: the API server takes at most 20 bits (Kubernetes v1.31, `--service-cluster-ip-range`).
const LARGEST_SERVICES: u8 = 12;
/// Bits between the pod range and a node's part of it (Kubernetes v1.31, node IPAM controller).
const MOST_NODE_BITS: u8 = 16;
/// Prefix length of Calico's blocks when the file says nothing (Kubespray, `calico_pool_blocksize`).
const CALICO_BLOCK: u8 = 26;

/// Ranges in which no pod, service or machine can be, with what they are for.
const SPECIAL: [(Ipv4Net, &str); 5] = [
    (net([0, 0, 0, 0], 8), "this network"),
    (net([127, 0, 0, 0], 8), "loopback"),
    (net([169, 254, 0, 0], 16), "link-local addresses"),
    (net([224, 0, 0, 0], 4), "multicast"),
    (net([240, 0, 0, 0], 4), "future use"),
];
/// Ranges that nobody on the internet has: RFC 1918, RFC 6598, and RFC 2544 for benchmarks.
const PRIVATE: [Ipv4Net; 5] = [
    net([10, 0, 0, 0], 8),
    net([172, 16, 0, 0], 12),
    net([192, 168, 0, 0], 16),
    net([100, 64, 0, 0], 10),
    net([198, 18, 0, 0], 15),
];

const fn net(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]), prefix)
}

const PODS: &str = "kubernetes.network.pods";
const SERVICES: &str = "kubernetes.network.services";

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    if let Ok(range) = site.networks.production.parse() {
        special("networks.production", "the production network", range, diagnostics);
    }
    let network = site.kubernetes.network.as_ref();
    let pods = network.and_then(|n| n.pods).map(|net| net.0);
    let services = network.and_then(|n| n.services).map(|net| net.0);
    for (path, name, range) in [(PODS, "the range of pods", pods), (SERVICES, "the range of services", services)] {
        let Some(range) = range else { continue };
        if !special(path, name, range, diagnostics) {
            public(path, name, range, diagnostics);
        }
    }
    if site.kubernetes.engine != Some(Engine::Existing) {
        services_size(services, diagnostics);
        node_bits(site, diagnostics);
        calico_block(site, diagnostics);
    }
}

/// Whether a range has addresses that no machine can use.
fn special(path: &str, name: &str, range: Ipv4Net, diagnostics: &mut Diagnostics<'_>) -> bool {
    let found = SPECIAL.iter().find(|(other, _)| other.contains(&range) || range.contains(other));
    if let Some((other, what)) = found {
        let message = format!("{name} ({range}) has addresses of {other}, which is set aside for {what}");
        let fix = "choose a private range, such as one below 10.0.0.0/8 or 172.16.0.0/12";
        diagnostics.report(Finding::error(code::SITE_RANGE, path, message).fix(fix));
    }
    found.is_some()
}

fn public(path: &str, name: &str, range: Ipv4Net, diagnostics: &mut Diagnostics<'_>) {
    if PRIVATE.iter().any(|private| private.contains(&range)) {
        return;
    }
    let message = format!(
        "{name} ({range}) is not private: from inside the cluster these addresses of the internet cannot be reached"
    );
    let fix = "choose a range inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10, unless these addresses are yours";
    diagnostics.report(Finding::warning(code::SITE_RANGE_PUBLIC, path, message).fix(fix));
}

fn services_size(services: Option<Ipv4Net>, diagnostics: &mut Diagnostics<'_>) {
    let Some(services) = services else { return };
    let (message, fix) = if services.prefix_len() < LARGEST_SERVICES {
        (
            format!(
                "the range of services ({services}) is too large: the API server takes at most a /{LARGEST_SERVICES}"
            ),
            format!("write a /{LARGEST_SERVICES} or smaller; a /16 has room for 65534 services"),
        )
    } else if services.prefix_len() > SMALLEST_SERVICES {
        (
            format!("the range of services ({services}) has fewer than the ten addresses that kubeadm wants"),
            format!("write a /{SMALLEST_SERVICES} or larger; a /16 is usual"),
        )
    } else {
        return;
    };
    diagnostics.report(Finding::error(code::SITE_RANGE, SERVICES, message).fix(fix));
}

/// Kubernetes keeps a bit for each part of the pod range, and allows 16 bits of them.
fn node_bits(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let network = site.kubernetes.network.as_ref();
    let pods = network.and_then(|n| n.pods).map_or(defaults::PODS, |net| net.0);
    let prefix = network.and_then(|n| n.node_prefix).unwrap_or(defaults::NODE_PREFIX);
    if prefix.saturating_sub(pods.prefix_len()) <= MOST_NODE_BITS {
        return;
    }
    let message = format!(
        "a node's part (/{prefix}) of the pod range {pods} is more than {MOST_NODE_BITS} bits smaller, which Kubernetes refuses"
    );
    let longest = pods.prefix_len() + MOST_NODE_BITS;
    let fix =
        format!("write a pod range of /{} or smaller, or `nodePrefix: {longest}` or less", prefix - MOST_NODE_BITS);
    diagnostics.report_pair(Finding::error(code::SITE_RANGE, PODS, message).fix(fix), "kubernetes.network.nodePrefix");
}

fn calico_block(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let network = site.kubernetes.network.as_ref();
    if network.and_then(|n| n.plugin).unwrap_or(Plugin::Calico) != Plugin::Calico {
        return;
    }
    let pods = network.and_then(|n| n.pods).map_or(defaults::PODS, |net| net.0);
    let given = network.and_then(|n| n.calico.as_ref()).and_then(|calico| calico.block_size);
    let block = given.unwrap_or(CALICO_BLOCK);
    if block >= pods.prefix_len() {
        return;
    }
    let message = format!("Calico's blocks (/{block}) are larger than the whole range of pods ({pods})");
    let fix =
        format!("write `calico: {{blockSize: {}}}` or longer, or a larger range of pods", pods.prefix_len().max(20));
    let path = if given.is_some() { "kubernetes.network.calico.blockSize" } else { PODS };
    diagnostics.report_pair(Finding::error(code::SITE_RANGE, path, message).fix(fix), PODS);
}
