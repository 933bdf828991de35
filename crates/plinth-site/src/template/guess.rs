//! What a site could be, as far as names, categories and addresses of an inventory tell.

use ipnet::Ipv4Net;
use plinth_model::inventory::{Interface, InterfaceKind, Inventory, InventoryNode, Network, NodeKind};
use plinth_model::{NodeName, misread};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Roles and networks. Only nodes that can be reached in the first production network have a role. Names are in their natural order.
pub(super) struct Guess<'a> {
    /// Networks that may be the production network, the likeliest first.
    pub(super) production: Vec<&'a Network>,
    /// Networks in which management controllers have addresses.
    pub(super) forbidden: Vec<&'a Network>,
    /// Three nodes without GPUs, or one where there are fewer.
    pub(super) control_plane: Vec<&'a str>,
    /// Nodes with GPUs.
    pub(super) gpu: Vec<&'a str>,
    /// Nodes that could have a role, but have none.
    pub(super) spare: Vec<&'a str>,
    /// Nodes that have no role, by the reason.
    pub(super) left_out: BTreeMap<String, Vec<&'a str>>,
    /// Some physical machine, to be named where no role could be guessed.
    pub(super) any: Option<&'a str>,
}

impl<'a> Guess<'a> {
    /// `refused`: nodes that must have no role, with the reason.
    pub(super) fn of(inventory: &'a Inventory, refused: &BTreeMap<String, String>) -> Self {
        let production = production(inventory);
        let range = production.first().and_then(|network| network.cidr);
        let mut left_out: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let (mut gpu, mut rest) = (Vec::new(), Vec::new());
        let mut nodes: Vec<&InventoryNode> = inventory.nodes.iter().collect();
        nodes.sort_by_key(|node| natural(&node.name));
        for node in nodes {
            match refused.get(&node.name).cloned().or_else(|| unfit(node, range)) {
                Some(reason) => left_out.entry(reason).or_default().push(&node.name),
                None if looks_like_gpu(node) => gpu.push(node.name.as_str()),
                None => rest.push(node.name.as_str()),
            }
        }
        let spare = rest.split_off(if rest.len() >= 3 { 3 } else { rest.len().min(1) });
        let any = machines(inventory).min_by_key(|node| natural(&node.name)).map(|node| node.name.as_str());
        Self { forbidden: forbidden(inventory, range), production, control_plane: rest, gpu, spare, left_out, any }
    }
}

/// The order in which people count: `n2` before `n10`.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| text + end);
        parts.push((rest[..text].to_lowercase(), rest[text..digits].parse().unwrap_or(0)));
        rest = &rest[digits..];
    }
    parts
}

/// Selectors that mean exactly these nodes: a category, else a glob, else every name.
pub(super) fn selectors(inventory: &Inventory, names: &[&str]) -> Vec<String> {
    let chosen = |node: &InventoryNode| names.contains(&node.name.as_str());
    let exactly = |is_meant: &dyn Fn(&InventoryNode) -> bool| {
        let meant: Vec<&InventoryNode> = inventory.nodes.iter().filter(|node| is_meant(node)).collect();
        meant.len() == names.len() && meant.into_iter().all(chosen)
    };
    if names.len() < 2 {
        return names.iter().map(|name| (*name).to_owned()).collect();
    }
    let of_one = |category: &str| exactly(&|node| node.category.as_deref() == Some(category));
    let category = inventory.nodes.iter().find(|node| chosen(node)).and_then(|node| node.category.as_deref());
    if let Some(category) = category.filter(|category| of_one(category)) {
        return vec![format!("{{category: {}}}", super::quoted(category))];
    }
    let first = names.first().copied().unwrap_or_default();
    let common =
        |length: usize| first.is_char_boundary(length) && names.iter().all(|name| name.starts_with(&first[..length]));
    let length = (0..=first.len()).rev().find(|length| common(*length)).unwrap_or(0);
    let begin = first[..length].trim_end_matches(|c: char| c.is_ascii_digit());
    if begin.len() >= 2 && exactly(&|node| node.name.starts_with(begin)) {
        return vec![super::quoted(&format!("{begin}*"))];
    }
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The first of these ranges in which nobody is, as far as the inventory tells; the last one if there is none. BCM may list the ranges of
/// pods and services themselves as networks.
pub(super) fn free_range(inventory: &Inventory, candidates: &[Ipv4Net]) -> Option<Ipv4Net> {
    let overlaps = |a: Ipv4Net, b: Ipv4Net| a.contains(&b) || b.contains(&a);
    let used = |range: Ipv4Net| {
        let network = inventory
            .networks
            .iter()
            .filter_map(|n| n.cidr)
            .any(|cidr| cidr.prefix_len() > 0 && cidr != range && overlaps(cidr, range));
        let mut interfaces = inventory.nodes.iter().flat_map(|node| &node.interfaces);
        network || interfaces.any(|interface| is_within(interface, range))
    };
    candidates.iter().copied().find(|range| !used(*range)).or_else(|| candidates.last().copied())
}

/// Why a node cannot have a role; none when it can.
fn unfit(node: &InventoryNode, production: Option<Ipv4Net>) -> Option<String> {
    let within = |interface: &&Interface| production.is_some_and(|range| is_within(interface, range));
    let mut there = node.interfaces.iter().filter(within).peekable();
    let reason = match &node.kind {
        NodeKind::Head => "head nodes",
        NodeKind::Other(kind) => return Some(format!("not physical nodes but {kind}")),
        NodeKind::Physical if node.template => "templates",
        NodeKind::Physical if NodeName::new(&node.name).is_err() => "names that Kubernetes does not take",
        NodeKind::Physical if misread(&node.name).is_some() => "names that YAML or Ansible takes for something else",
        NodeKind::Physical if production.is_none() => "because no production network was found",
        NodeKind::Physical if there.peek().is_none() => "no address in the production network",
        NodeKind::Physical if !there.any(is_own) => {
            "only addresses of a BMC, from DHCP, of an alias, or that are not always up in the production network"
        }
        NodeKind::Physical => return None,
    };
    Some(reason.to_owned())
}

/// Machines that can be targets: physical, no templates, with names that Kubernetes takes.
fn machines(inventory: &Inventory) -> impl Iterator<Item = &InventoryNode> {
    let usable = |node: &&InventoryNode| {
        node.kind == NodeKind::Physical
            && !node.template
            && NodeName::new(&node.name).is_ok()
            && misread(&node.name).is_none()
    };
    inventory.nodes.iter().filter(usable)
}

/// Words in names and categories that speak of GPUs.
const GPU_WORDS: [&str; 9] = ["dgx", "hgx", "gpu", "a100", "h100", "h200", "b200", "gb200", "b300"];

fn looks_like_gpu(node: &InventoryNode) -> bool {
    let text = format!("{} {}", node.name, node.category.as_deref().unwrap_or_default()).to_lowercase();
    GPU_WORDS.iter().any(|word| text.contains(word))
}

fn is_within(interface: &Interface, range: Ipv4Net) -> bool {
    interface.address.trim().parse::<Ipv4Addr>().is_ok_and(|address| range.contains(&address))
}

/// Whether the recorded address belongs to the machine, and to it alone, at any time.
fn is_own(interface: &Interface) -> bool {
    let shared = matches!(interface.kind, InterfaceKind::Bmc | InterfaceKind::Alias | InterfaceKind::Other(_));
    !shared && !interface.dhcp && interface.start.eq_ignore_ascii_case("always")
}

/// Whether an interface is on a network: on the one it names, else on the one that its address is in.
fn is_on(interface: &Interface, network: &Network) -> bool {
    match interface.network.as_deref() {
        Some(name) => name == network.name,
        None => network.cidr.is_some_and(|range| is_within(interface, range)),
    }
}

/// Networks with interfaces of machines, those without management controllers first, then those that reach most machines.
fn production(inventory: &Inventory) -> Vec<&Network> {
    let on = |network: &Network, bmc: bool| {
        let mut interfaces = machines(inventory).flat_map(|node| &node.interfaces);
        interfaces.any(|interface| (interface.kind == InterfaceKind::Bmc) == bmc && is_on(interface, network))
    };
    let reached = |range: Ipv4Net| machines(inventory).filter(|node| unfit(node, Some(range)).is_none()).count();
    let used = inventory.networks.iter().filter(|network| on(network, false));
    let mut candidates: Vec<(bool, Reverse<usize>, &Network)> =
        used.filter_map(|network| Some((on(network, true), Reverse(reached(network.cidr?)), network))).collect();
    candidates.sort_by_key(|(managed, reached, _)| (*managed, *reached));
    let best = candidates.first().is_some_and(|(managed, ..)| *managed);
    candidates.into_iter().filter(|(managed, ..)| *managed == best).map(|(.., network)| network).collect()
}

/// Networks in which any management controller is, unless production would be forbidden with them.
fn forbidden(inventory: &Inventory, production: Option<Ipv4Net>) -> Vec<&Network> {
    let controllers: Vec<&Interface> = inventory
        .nodes
        .iter()
        .flat_map(|node| &node.interfaces)
        .filter(|interface| interface.kind == InterfaceKind::Bmc)
        .collect();
    let apart = |range: Ipv4Net| {
        production.is_none_or(|own| !own.contains(&range.network()) && !range.contains(&own.network()))
    };
    let mut ranges = Vec::new();
    let mut is_new = |range: Ipv4Net| {
        let new = !ranges.contains(&range);
        ranges.push(range);
        new
    };
    let inside =
        |interface: &Interface, network: &Network| network.cidr.is_some_and(|range| is_within(interface, range));
    let managed = |network: &&Network| controllers.iter().any(|bmc| is_on(bmc, network) || inside(bmc, network));
    inventory.networks.iter().filter(managed).filter(|n| n.cidr.is_some_and(|r| apart(r) && is_new(r))).collect()
}
