//! Networks: no two of them may overlap, and addresses must stand in the right one.
//!
//! Kubespray only notices pods inside services (Kubespray v2.27.1), so all pairs are judged here.

use super::nodes::Selection;
use crate::defaults;
use crate::diagnostics::Diagnostics;
use crate::raw::Site;
use crate::raw::cluster::Endpoint;
use crate::raw::inventory::Inventory;
use crate::raw::kubernetes::{Engine, Plugin};
use crate::raw::rules::range_of;
use ipnet::Ipv4Net;
use plinth_model::Finding;
use plinth_model::finding::code;
use std::net::Ipv4Addr;

/// Pods of a node when the file says nothing (Kubespray v2.27.1, `kubelet_max_pods`).
const MAX_PODS: u32 = 110;
/// Address of the DNS cache that Kubespray puts on every node (Kubespray v2.27.1, `nodelocaldns_ip`).
const NODE_DNS: Ipv4Addr = Ipv4Addr::new(169, 254, 25, 10);
/// Range of Docker's default bridge, where somebody installed Docker.
const DOCKER: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(172, 17, 0, 0), Ipv4Addr::new(172, 17, 255, 255));

/// A range with a name and a place.
struct Range {
    name: &'static str,
    path: String,
    first: Ipv4Addr,
    last: Ipv4Addr,
}

impl Range {
    fn net(name: &'static str, path: impl Into<String>, net: Ipv4Net) -> Self {
        Self { name, path: path.into(), first: net.network(), last: net.broadcast() }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

pub(super) fn check(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    production_name(site, diagnostics);
    let cluster = cluster_ranges(site);
    let around = site_ranges(site);
    for (at, range) in cluster.iter().enumerate() {
        for other in cluster.iter().skip(at + 1).chain(&around) {
            overlap(range, other, diagnostics);
        }
        reserved(site, range, diagnostics);
    }
    production_against_forbidden(site, diagnostics);
    balancer(site, diagnostics);
    addresses(site, diagnostics);
    capacity(site, diagnostics);
}

/// The range of the production network, when it was given as one.
fn production(site: &Site) -> Option<Ipv4Net> {
    site.networks.production.parse().ok()
}

fn production_name(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let text = &site.networks.production;
    let path = "networks.production";
    if !text.contains('/') {
        if text.parse::<Ipv4Addr>().is_ok() {
            let message = format!("`{text}` is an address, not a network");
            let fix = format!("write the range with its length, such as `{text}/24`");
            diagnostics.report(Finding::error(code::SITE_NOT_A_NETWORK, path, message).fix(fix));
        } else if matches!(site.inventory, Inventory::Static(_)) {
            let message = "a network can only be named where BCM lists networks; the inventory is static";
            diagnostics.report(
                Finding::error(code::SITE_PRODUCTION_NETWORK, path, message)
                    .fix("write the range, like `192.0.2.0/24`"),
            );
        }
        return;
    }
    if let Err(refusal) = <Ipv4Net as crate::raw::text::Rule>::read(text) {
        diagnostics.report(Finding::error(refusal.code, path, refusal.message).fix(refusal.fix));
    }
}

fn cluster_ranges(site: &Site) -> Vec<Range> {
    let network = site.kubernetes.network.as_ref();
    let is_ours = site.kubernetes.engine != Some(Engine::Existing);
    let range = |given: Option<Ipv4Net>, default| given.or_else(|| is_ours.then_some(default));
    let pods = range(network.and_then(|n| n.pods).map(|net| net.0), defaults::PODS);
    let services = range(network.and_then(|n| n.services).map(|net| net.0), defaults::SERVICES);
    let pods = pods.map(|net| Range::net("the range of pods", "kubernetes.network.pods", net));
    let services = services.map(|net| Range::net("the range of services", "kubernetes.network.services", net));
    let infiniband = site.platform.as_ref().and_then(|platform| platform.infiniband.as_ref());
    let addresses = infiniband.map(|wanted| {
        Range::net("the network of InfiniBand addresses", "platform.infiniband.addresses", wanted.addresses.0)
    });
    pods.into_iter().chain(services).chain(addresses).collect()
}

fn site_ranges(site: &Site) -> Vec<Range> {
    let production = production(site).map(|net| Range::net("the production network", "networks.production", net));
    let forbidden = site.networks.forbidden.iter().enumerate();
    let forbidden =
        forbidden.map(|(at, net)| Range::net("a forbidden network", format!("networks.forbidden[{at}]"), net.0));
    let named = production.into_iter().chain(forbidden).chain(balancer_ranges(site));
    named.chain(node_addresses(site)).chain(shared_address(site)).chain(hosts(site)).collect()
}

fn single(name: &'static str, path: impl Into<String>, address: Ipv4Addr) -> Range {
    Range { name, path: path.into(), first: address, last: address }
}

/// The one address of all API servers.
fn shared_address(site: &Site) -> Option<Range> {
    match site.kubernetes.api.as_ref()?.endpoint.as_ref()? {
        Endpoint::KubeVip(vip) => {
            Some(single("the address of kube-vip", "kubernetes.api.endpoint.kubeVip.address", vip.address.0))
        }
        Endpoint::LoadBalancer(balancer) => Some(single(
            "the address of the load balancer",
            "kubernetes.api.endpoint.loadBalancer.address",
            balancer.address.0,
        )),
    }
}

/// Other machines that nodes or plinth talk to, where the file names them by address.
fn hosts(site: &Site) -> Vec<Range> {
    let mut found = Vec::new();
    if let Some(address) =
        site.access.as_ref().and_then(|access| access.jump.as_ref()).and_then(|jump| address_of(&jump.host.0.0))
    {
        found.push(single("the host in between", "access.jump.host", address));
    }
    if let Inventory::Bcm(bcm) = &site.inventory {
        let endpoint = address_of(&bcm.endpoint.0.0);
        found.extend(endpoint.map(|address| single("BCM's address", "inventory.bcm.endpoint", address)));
    }
    let servers = site.kubernetes.dns.iter().flat_map(|dns| &dns.servers).enumerate();
    found.extend(servers.map(|(at, server)| single("a DNS server", format!("kubernetes.dns.servers[{at}]"), server.0)));
    let mirrors = site.registries.iter().flat_map(|registries| &registries.mirrors).enumerate();
    for (at, mirror) in mirrors {
        let endpoints = mirror.endpoints.iter().enumerate().filter_map(|(n, e)| Some((n, address_of(&e.0.0)?)));
        found.extend(endpoints.map(|(n, address)| {
            single("a mirror's address", format!("registries.mirrors[{at}].endpoints[{n}]"), address)
        }));
    }
    found
}

/// The address in `[SCHEME://]ADDRESS[:PORT][/PATH]`.
fn address_of(text: &str) -> Option<Ipv4Addr> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', ':']).next()?.parse().ok()
}

fn balancer_ranges(site: &Site) -> Vec<Range> {
    let addresses = site.platform.as_ref().and_then(|p| p.load_balancer.as_ref()).map_or(&[][..], |lb| &lb.addresses);
    let range = |(at, text): (usize, &crate::raw::text::Text<crate::raw::rules::AddressRange>)| {
        let (first, last) = range_of(&text.0.0)?;
        let path = format!("platform.loadBalancer.addresses[{at}]");
        Some(Range { name: "the load balancer's addresses", path, first, last })
    };
    addresses.iter().enumerate().filter_map(range).collect()
}

/// Addresses of nodes that the file itself gives.
fn node_addresses(site: &Site) -> Vec<Range> {
    let single = |path: String, address: Ipv4Addr| single("a node's address", path, address);
    let mut found = Vec::new();
    if let Inventory::Static(nodes) = &site.inventory {
        let listed = nodes.iter().enumerate();
        found.extend(listed.map(|(at, node)| single(format!("inventory.static[{at}].address"), node.address.0)));
    }
    for (name, over) in &site.nodes.overrides {
        found.extend(over.address.map(|address| single(format!("nodes.overrides.{}.address", name.0), address.0)));
    }
    found
}

fn overlap(range: &Range, other: &Range, diagnostics: &mut Diagnostics<'_>) {
    if range.overlaps(other) {
        let overlaps = if range.name.ends_with("balancer's addresses") { "overlap" } else { "overlaps" };
        let message = format!("{} ({}) {overlaps} {} ({})", range.name, shown(range), other.name, shown(other));
        let finding = Finding::error(code::SITE_NETWORKS_OVERLAP, range.path.clone(), message)
            .fix("choose a private range that is used nowhere else in the site");
        diagnostics.report_pair(finding, &other.path);
    }
}

fn shown(range: &Range) -> String {
    match (range.first, range.last) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} to {last}"),
    }
}

fn reserved(site: &Site, range: &Range, diagnostics: &mut Diagnostics<'_>) {
    let cached = site.kubernetes.dns.as_ref().and_then(|dns| dns.node_cache).unwrap_or(true);
    if cached && (range.first..=range.last).contains(&NODE_DNS) {
        let message = format!("{} holds {NODE_DNS}, the address of the DNS cache on every node", range.name);
        let fix = "choose a private range, outside 169.254.0.0/16";
        diagnostics.report(Finding::error(code::SITE_NETWORKS_OVERLAP, range.path.clone(), message).fix(fix));
    }
    if range.first <= DOCKER.1 && DOCKER.0 <= range.last {
        let message =
            format!("{} overlaps 172.17.0.0/16, which Docker takes on a node where it is installed", range.name);
        let fix = "choose another range, or make sure that no node has Docker";
        diagnostics.report(Finding::warning(code::SITE_DOCKER_NETWORK, range.path.clone(), message).fix(fix));
    }
}

fn production_against_forbidden(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(production) = production(site) else { return };
    for (at, forbidden) in site.networks.forbidden.iter().enumerate() {
        let path = format!("networks.forbidden[{at}]");
        if production.contains(&forbidden.0) || forbidden.contains(&production) {
            let message = format!("{} is forbidden and overlaps the production network {production}", forbidden.0);
            let finding = Finding::error(code::SITE_NETWORKS_OVERLAP, path.clone(), message)
                .fix("a network is either used or forbidden: correct one of the two");
            diagnostics.report_pair(finding, "networks.production");
        }
    }
}

fn balancer(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let ranges = balancer_ranges(site);
    let others: Vec<Range> = node_addresses(site).into_iter().chain(shared_address(site)).chain(hosts(site)).collect();
    for (at, range) in ranges.iter().enumerate() {
        for other in ranges.iter().skip(at + 1).chain(&others) {
            overlap(range, other, diagnostics);
        }
        forbidden_address(site, range, diagnostics);
        at_edge(site, range, diagnostics);
    }
    shared(site, diagnostics);
}

/// The first and the last address of the production network belong to no machine, so nobody may announce them.
fn at_edge(site: &Site, range: &Range, diagnostics: &mut Diagnostics<'_>) {
    let Some(net) = production(site).filter(|net| net.prefix_len() < 31) else { return };
    for edge in [net.network(), net.broadcast()].into_iter().filter(|edge| (range.first..=range.last).contains(edge)) {
        let which = if edge == net.network() { "first" } else { "last" };
        let message = format!(
            "{} ({}) has {edge}, the {which} address of the production network {net}",
            range.name,
            shown(range)
        );
        let usable =
            format!("{}-{}", range.first.max(next(net.network(), 1)), range.last.min(next(net.broadcast(), -1)));
        let fix = match range.first == range.last {
            true => "choose a free address between the first and the last one".to_owned(),
            false => format!("leave that address out: `{usable}`"),
        };
        diagnostics.report_pair(
            Finding::error(code::SITE_ADDRESS_EDGE, range.path.clone(), message).fix(fix),
            "networks.production",
        );
    }
}

fn next(address: Ipv4Addr, step: i32) -> Ipv4Addr {
    u32::from(address).checked_add_signed(step).map_or(address, Ipv4Addr::from)
}

/// The address of all API servers belongs to nobody else; the one of kube-vip is announced in the production network.
fn shared(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let Some(range) = shared_address(site) else { return };
    for node in node_addresses(site) {
        overlap(&range, &node, diagnostics);
    }
    let is_vip =
        matches!(site.kubernetes.api.as_ref().and_then(|api| api.endpoint.as_ref()), Some(Endpoint::KubeVip(_)));
    at_edge(site, &range, diagnostics);
    let forbidden = forbidden_address(site, &range, diagnostics);
    if let Some(production) = production(site).filter(|net| is_vip && !forbidden && !net.contains(&range.first)) {
        let message = format!("{} is outside the production network {production}, where ARP is answered", range.first);
        let fix = "choose a free address of the production network";
        diagnostics.report_pair(
            Finding::error(code::SITE_ADDRESS_OUTSIDE, range.path, message).fix(fix),
            "networks.production",
        );
    }
}

/// Addresses of nodes must be usable: in the production network, and never in a forbidden one.
fn addresses(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    for range in node_addresses(site) {
        let forbidden = forbidden_address(site, &range, diagnostics);
        let Some(production) = production(site) else { continue };
        if !forbidden && !production.contains(&range.first) {
            let message = format!("{} is outside the production network {production}", range.first);
            let fix = "name the node's address in the production network; others are never used for Kubernetes";
            diagnostics.report_pair(
                Finding::error(code::SITE_ADDRESS_OUTSIDE, range.path, message).fix(fix),
                "networks.production",
            );
        }
    }
    let ingress = site.platform.as_ref().and_then(|p| p.ingress.as_ref()).and_then(|i| i.address);
    if let Some(address) = ingress {
        let path = "platform.ingress.address".to_owned();
        let range = Range { name: "the ingress address", path, first: address.0, last: address.0 };
        forbidden_address(site, &range, diagnostics);
    }
}

/// Whether the range has a forbidden address.
fn forbidden_address(site: &Site, range: &Range, diagnostics: &mut Diagnostics<'_>) -> bool {
    let mut found = false;
    for (at, net) in site.networks.forbidden.iter().enumerate() {
        let path = format!("networks.forbidden[{at}]");
        if range.overlaps(&Range::net("", path.clone(), net.0)) {
            let message = format!("{} is in the forbidden network {}", shown(range), net.0);
            let fix = "name an address in the production network";
            diagnostics
                .report_pair(Finding::error(code::SITE_ADDRESS_FORBIDDEN, range.path.clone(), message).fix(fix), &path);
            found = true;
        }
    }
    found
}

/// Every node takes one part of the pod range; Kubespray checks this for most plugins but not for calico.
fn capacity(site: &Site, diagnostics: &mut Diagnostics<'_>) {
    let network = site.kubernetes.network.as_ref();
    let pods = network.and_then(|n| n.pods).map_or(defaults::PODS, |net| net.0);
    let prefix = network.and_then(|n| n.node_prefix).unwrap_or(defaults::NODE_PREFIX);
    if prefix <= pods.prefix_len() {
        let message = format!("a node's part of the pod range (/{prefix}) is not smaller than the pod range {pods}");
        let fix =
            format!("use a longer `nodePrefix` (24 gives a node 256 addresses), or a pod range larger than /{prefix}");
        diagnostics.report_pair(
            Finding::error(code::SITE_POD_CAPACITY, "kubernetes.network.nodePrefix", message).fix(fix),
            "kubernetes.network.pods",
        );
        return;
    }
    pods_per_node(site, prefix, diagnostics);
    let room = 1_u64 << u32::from(prefix - pods.prefix_len()).min(63);
    let Inventory::Static(nodes) = &site.inventory else { return };
    let roles = [Selection::of(&site.nodes.control_plane), Selection::of(&site.nodes.workers)];
    let excluded = Selection::of(&site.nodes.exclude);
    let is_member = |node: &&_| roles.iter().any(|role| role.has(node)) && !excluded.has(node);
    let members = nodes.iter().filter(is_member).count();
    if (members as u64) > room {
        let part = if room == 1 { "node" } else { "nodes" };
        let message = format!("the pod range {pods} has room for {room} {part} of /{prefix}; the site has {members}");
        diagnostics.report(
            Finding::error(code::SITE_POD_CAPACITY, "kubernetes.network.pods", message)
                .fix("use a larger pod range or a longer `nodePrefix`"),
        );
    }
}

/// A node's part of the range holds its pods. Calico takes addresses in blocks of its own instead, as many as are needed.
fn pods_per_node(site: &Site, prefix: u8, diagnostics: &mut Diagnostics<'_>) {
    let plugin = site.kubernetes.network.as_ref().and_then(|network| network.plugin).unwrap_or(Plugin::Calico);
    let given = site.kubernetes.kubelet.as_ref().and_then(|kubelet| kubelet.max_pods);
    let room = (1_u64 << (32 - u32::from(prefix.min(32)))).saturating_sub(2);
    let wanted = u64::from(given.unwrap_or(MAX_PODS));
    if !matches!(plugin, Plugin::Calico | Plugin::None) && wanted > room {
        let message =
            format!("a node's part of the pod range (/{prefix}) has {room} addresses; it may get {wanted} pods");
        let fix = "use a shorter `nodePrefix`, or fewer pods under `kubernetes.kubelet.maxPods`";
        let path = if given.is_some() { "kubernetes.kubelet.maxPods" } else { "kubernetes.network.nodePrefix" };
        diagnostics.report_pair(
            Finding::error(code::SITE_POD_CAPACITY, path, message).fix(fix),
            "kubernetes.network.nodePrefix",
        );
    }
}
