//! Which address of a node is safe to use. There is no "any address": when none is safe, there is none.
//!
//! Why so strict: at a known site the inventory held out-of-band addresses, the first one found was taken, and Kubernetes was
//! deployed over the management network. The order of interfaces has no meaning in BCM, a BMC is an interface like the others,
//! and a network's `management` flag does not mean out-of-band (BCM 11 captures; Bright Cluster Manager administrator manual).

use ipnet::Ipv4Net;
use plinth_model::finding::Code;
use plinth_model::finding::code;
use plinth_model::inventory::{Interface, InterfaceKind, Inventory, InventoryNode, Network};
use plinth_model::{Finding, Owner};
use plinth_site::desired::{Networks, ProductionNetwork};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// Where an address comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressSource {
    /// The site file's override for the node.
    Override,
    /// The static inventory.
    Given,
    /// An interface that the inventory lists.
    Interface(String),
}

impl AddressSource {
    /// For tables and JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            AddressSource::Override => "override",
            AddressSource::Given => "static",
            AddressSource::Interface(_) => "interface",
        }
    }
}

/// What was chosen for one node, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AddressChoice {
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) source: Option<AddressSource>,
    pub(crate) network: Option<String>,
    /// Interfaces not taken: name, kind, address, network, why.
    pub(crate) passed_over: Vec<String>,
    /// Doubts about the inventory's data.
    pub(crate) doubts: Vec<Finding>,
}

/// The production network, as far as it is known.
#[derive(Clone, Copy, Debug)]
enum Production<'a> {
    Range(Ipv4Net),
    Named(&'a str, Option<Ipv4Net>),
    /// Named, but not listed: no address can be safe.
    Missing,
}

/// The site's rules for addresses.
pub(crate) struct Rules<'a> {
    production: Production<'a>,
    forbidden: &'a [Ipv4Net],
    networks: HashMap<&'a str, &'a Network>,
}

/// Why an interface is passed over; a mismatch is a mistake in the inventory's data.
struct Refusal {
    why: String,
    mismatch: bool,
}

fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { why: why.into(), mismatch: false })
}

fn mismatch<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { why: why.into(), mismatch: true })
}

impl<'a> Rules<'a> {
    pub(crate) fn new(site: &'a Networks, inventory: &'a Inventory) -> Self {
        let networks: HashMap<&str, &Network> = inventory.networks.iter().map(|n| (n.name.as_str(), n)).collect();
        let production = match &site.production {
            ProductionNetwork::Cidr(range) => Production::Range(*range),
            ProductionNetwork::Name(name) => {
                networks.get(name.as_str()).map_or(Production::Missing, |network| Production::Named(name, network.cidr))
            }
        };
        Self { production, forbidden: &site.forbidden, networks }
    }

    /// The production range, if it is known.
    pub(crate) fn range(&self) -> Option<Ipv4Net> {
        match self.production {
            Production::Range(range) | Production::Named(_, Some(range)) => Some(range),
            Production::Named(_, None) | Production::Missing => None,
        }
    }

    /// Whether the production network is known at all: given as a range, or listed under its name.
    pub(crate) const fn knows_production(&self) -> bool {
        !matches!(self.production, Production::Missing)
    }

    /// Whether this listed network is the production network.
    pub(crate) fn is_production(&self, network: &Network) -> bool {
        match self.production {
            Production::Range(range) => network.cidr.is_some_and(|c| c.prefix_len() > 0 && c.contains(&range)),
            Production::Named(name, _) => network.name == name,
            Production::Missing => false,
        }
    }

    /// The forbidden network that overlaps this range.
    pub(crate) fn forbidden_in(&self, range: Ipv4Net) -> bool {
        self.forbidden.iter().any(|f| f.contains(&range))
    }

    /// The smallest listed network around an address.
    fn network_of(&self, address: Ipv4Addr) -> Option<String> {
        let around = self.networks.values().filter_map(|n| n.cidr.map(|c| (c, n)));
        around
            .filter(|(c, _)| c.prefix_len() > 0 && c.contains(&address))
            .max_by_key(|(c, n)| (c.prefix_len(), Reverse(n.name.as_str())))
            .map(|(_, n)| n.name.clone())
    }

    /// Chooses. An override that is refused is not replaced by another address: a person wrote it, a person fixes it.
    pub(crate) fn choose(&self, node: &InventoryNode, wanted: Option<Ipv4Addr>) -> AddressChoice {
        let given = wanted.map(|a| (a, AddressSource::Override)).or(node.given.map(|a| (a, AddressSource::Given)));
        match given {
            Some((address, source)) => self.judge_given(node, address, source),
            None => self.choose_interface(node),
        }
    }

    fn judge_given(&self, node: &InventoryNode, address: Ipv4Addr, source: AddressSource) -> AddressChoice {
        let what = if source == AddressSource::Override { "override" } else { "static address" };
        match self.check(address) {
            Ok(()) => AddressChoice {
                address: Some(address),
                source: Some(source),
                network: self.network_of(address),
                ..AddressChoice::default()
            },
            Err((code, why)) => AddressChoice {
                passed_over: vec![format!("{what} {address}: {why}")],
                doubts: vec![
                    Finding::error(code, node.name.as_str(), format!("the {what} {address} is not used: {why}"))
                        .fix("give the node an address inside networks.production"),
                ],
                ..AddressChoice::default()
            },
        }
    }

    /// Checks an address that a person wrote.
    fn check(&self, address: Ipv4Addr) -> Result<(), (Code, String)> {
        if !is_unicast(address) {
            return Err((code::NODES_ADDRESS_NOT_USABLE, "it is not a machine's address".into()));
        }
        if let Some(net) = self.forbidden.iter().find(|n| n.contains(&address)) {
            return Err((code::NODES_ADDRESS_FORBIDDEN, format!("it is in the forbidden network {net}")));
        }
        match self.range() {
            Some(range) if !range.contains(&address) => {
                Err((code::NODES_ADDRESS_OUTSIDE_PRODUCTION, format!("it is outside the production network {range}")))
            }
            Some(range) if is_edge(range, address) => {
                Err((code::NODES_ADDRESS_NOT_USABLE, format!("it is the first or last address of {range}")))
            }
            _ => Ok(()),
        }
    }

    fn choose_interface(&self, node: &InventoryNode) -> AddressChoice {
        let mut choice = AddressChoice::default();
        let mut candidates: Vec<(&Interface, Ipv4Addr)> = Vec::new();
        for interface in &node.interfaces {
            match self.judge(interface) {
                Ok(address) => candidates.push((interface, address)),
                Err(refusal) => {
                    choice.passed_over.push(format!("{}: {}", shown(interface), refusal.why));
                    if refusal.mismatch {
                        choice.doubts.push(mismatch_finding(node, interface, &refusal.why));
                    }
                }
            }
        }
        candidates.sort_by_key(|(i, _)| (kind_rank(&i.kind), Reverse(i.priority), i.name.as_str()));
        choice.take_best(node, &candidates);
        choice.passed_over.sort();
        choice
    }

    /// Whether an interface may be used at all: its kind, its start mode, its address, its network.
    fn judge(&self, interface: &Interface) -> Result<Ipv4Addr, Refusal> {
        if let Some(why) = never(&interface.kind) {
            return refuse(why);
        }
        if !interface.start.is_empty() && !interface.start.eq_ignore_ascii_case("ALWAYS") {
            return refuse(format!("it starts {}, so the address may move to another machine", interface.start));
        }
        if interface.dhcp {
            return refuse("its address comes from DHCP, so the recorded one means nothing");
        }
        let Ok(address) = interface.address.trim().parse::<Ipv4Addr>() else {
            return refuse(format!("`{}` is not an IPv4 address", interface.address));
        };
        if !is_unicast(address) {
            return refuse(if address.is_unspecified() { "no address is set" } else { "not a machine's address" });
        }
        if let Some(net) = self.forbidden.iter().find(|n| n.contains(&address)) {
            return refuse(format!("{net} is forbidden"));
        }
        self.judge_network(interface, address)
    }

    fn judge_network(&self, interface: &Interface, address: Ipv4Addr) -> Result<Ipv4Addr, Refusal> {
        let name = interface.network.as_deref();
        match self.production {
            Production::Missing => refuse("the production network is not listed"),
            Production::Named(wanted, _) if name != Some(wanted) => refuse("another network"),
            Production::Named(wanted, None) => mismatch(format!("network {wanted} has no range")),
            Production::Named(_, Some(range)) if !range.contains(&address) => {
                mismatch(format!("it is on the production network, whose range {range} does not hold it"))
            }
            Production::Range(range) if !range.contains(&address) => refuse("another network"),
            Production::Range(range) | Production::Named(_, Some(range)) if is_edge(range, address) => {
                mismatch(format!("it is the first or last address of {range}"))
            }
            Production::Range(_) => self.judge_listed(name, address),
            Production::Named(..) => Ok(address),
        }
    }

    /// The address lies in the production range: the network it is recorded on must agree.
    fn judge_listed(&self, name: Option<&str>, address: Ipv4Addr) -> Result<Ipv4Addr, Refusal> {
        let Some(name) = name else { return mismatch("it is in the production range, but on no network") };
        match self.networks.get(name).map(|n| n.cidr) {
            None => mismatch(format!("it is in the production range, but network {name} is not listed")),
            Some(None) => mismatch(format!("it is in the production range, but network {name} has no range")),
            Some(Some(cidr)) if cidr.contains(&address) => Ok(address),
            Some(Some(cidr)) => mismatch(format!(
                "it is in the production range, but recorded on {name} ({cidr}), which cannot hold it"
            )),
        }
    }
}

impl AddressChoice {
    fn take_best(&mut self, node: &InventoryNode, candidates: &[(&Interface, Ipv4Addr)]) {
        let Some(((best, address), rest)) = candidates.split_first() else { return };
        self.address = Some(*address);
        self.source = Some(AddressSource::Interface(best.name.clone()));
        self.network.clone_from(&best.network);
        for (other, _) in rest {
            self.passed_over.push(format!("{}: {} comes first", shown(other), best.name));
        }
        let tie =
            rest.first().filter(|(o, _)| kind_rank(&o.kind) == kind_rank(&best.kind) && o.priority == best.priority);
        if let Some((other, _)) = tie {
            let text = format!("{} was taken before {} only because of its name", best.name, other.name);
            self.doubts.push(
                Finding::info(code::BCM_ADDRESS_BY_NAME, node.name.as_str(), text)
                    .evidence(shown(best))
                    .evidence(shown(other))
                    .owner(Owner::BcmAdmin)
                    .fix("set onNetworkPriority, or give the address in nodes.overrides"),
            );
        }
    }

    /// Takes the address back, with the reason.
    pub(crate) fn withdraw(&mut self, why: &str) {
        if let (Some(address), Some(source)) = (self.address.take(), self.source.take()) {
            let place = if let AddressSource::Interface(name) = &source { name } else { source.as_str() };
            self.passed_over.insert(0, format!("{place} {address}: {why}"));
        }
        self.network = None;
    }
}

fn mismatch_finding(node: &InventoryNode, interface: &Interface, why: &str) -> Finding {
    let text = format!("{} {} does not fit its network: {why}", interface.name, interface.address);
    Finding::warning(code::BCM_NETWORK_MISMATCH, node.name.as_str(), text)
        .evidence(shown(interface))
        .owner(Owner::BcmAdmin)
        .fix("correct the interface or the network in BCM, or give the address in nodes.overrides")
}

/// Why interfaces of this kind are never candidates.
fn never(kind: &InterfaceKind) -> Option<String> {
    match kind {
        InterfaceKind::Bmc => Some("a BMC's address is never the machine's own".into()),
        InterfaceKind::Alias => Some("an alias is a second address and may move to another machine".into()),
        InterfaceKind::Tunnel => Some("tunnels are never used".into()),
        InterfaceKind::NetMap => Some("network maps are never used".into()),
        InterfaceKind::Other(kind) => Some(format!("interfaces of kind {kind} are not known")),
        _ => None,
    }
}

fn kind_rank(kind: &InterfaceKind) -> u8 {
    match kind {
        InterfaceKind::Bond => 0,
        InterfaceKind::Bridge => 1,
        InterfaceKind::Vlan => 2,
        InterfaceKind::Physical => 3,
        InterfaceKind::Alias
        | InterfaceKind::Bmc
        | InterfaceKind::Tunnel
        | InterfaceKind::NetMap
        | InterfaceKind::Other(_) => 4,
    }
}

fn kind_name(kind: &InterfaceKind) -> &str {
    match kind {
        InterfaceKind::Bond => "bond",
        InterfaceKind::Bridge => "bridge",
        InterfaceKind::Vlan => "VLAN",
        InterfaceKind::Physical => "physical",
        InterfaceKind::Alias => "alias",
        InterfaceKind::Bmc => "BMC",
        InterfaceKind::Tunnel => "tunnel",
        InterfaceKind::NetMap => "network map",
        InterfaceKind::Other(kind) => kind,
    }
}

/// `ipmi0 (BMC) 10.229.10.23 on ipminet`.
fn shown(interface: &Interface) -> String {
    let address = if interface.address.is_empty() { "no address" } else { &interface.address };
    let network = interface.network.as_deref().unwrap_or("no network");
    format!("{} ({}) {address} on {network}", interface.name, kind_name(&interface.kind))
}

/// A machine's own address: not `0.0.0.0`, loopback, link-local, multicast, reserved or broadcast.
fn is_unicast(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    first != 0 && first < 224 && !address.is_loopback() && !address.is_link_local()
}

/// The network's own address or its broadcast address.
fn is_edge(range: Ipv4Net, address: Ipv4Addr) -> bool {
    range.prefix_len() < 31 && (range.network() == address || range.broadcast() == address)
}
