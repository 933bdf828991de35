//! What a rehearsal makes up: an inventory with the site's node names and addresses of its own.

use super::invent;
use ipnet::Ipv4Net;
use plinth_model::inventory::{
    Category, Interface, InterfaceKind, Inventory, InventoryNode, Network, NodeKind, SCHEMA,
};
use plinth_model::{Observed, Problem};
use plinth_site::Desired;
use plinth_site::desired::{InventorySource, ProductionNetwork, Selector};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Used when the site's production network is too small for the nodes asked for: the range set aside for benchmarks of
/// network devices (RFC 2544), which no site uses.
const ROOMY: &str = "198.18.0.0/15";
/// The out-of-band network when the site forbids none.
const OUT_OF_BAND: &str = "192.0.2.0/24";

/// An inventory, and the desired state that fits it.
pub struct MadeUp {
    /// Every node that the site names or selects.
    pub inventory: Inventory,
    /// The site's, but for addresses and globs that had to be replaced.
    pub desired: Desired,
}

/// Makes up nodes for every selector of the site, and further workers until there are `at_least` nodes.
///
/// # Errors
/// Never for what a site file holds.
pub fn inventory(desired: &Desired, at_least: Option<usize>) -> Result<MadeUp, Problem> {
    let mut desired = desired.clone();
    if !matches!(desired.inventory, InventorySource::Static(_)) {
        replace_strange(&mut desired);
    }
    let mut names = names(&desired);
    if let Some(wanted) = at_least {
        more_workers(&mut desired, &mut names, wanted);
    }
    room_for_pods(&mut desired, names.len());
    let production = production(&mut desired, names.len())?;
    let network_name = match &desired.networks.production {
        ProductionNetwork::Name(name) => name.clone(),
        ProductionNetwork::Cidr(_) => "production".to_owned(),
    };
    let inventory = match &desired.inventory {
        InventorySource::Static(nodes) if at_least.is_none() => plinth_plan::static_inventory(nodes),
        _ => listed(&desired, &names, production, &network_name),
    };
    Ok(MadeUp { inventory, desired })
}

/// Node names with their categories, in order of first mention.
type Names = Vec<(String, Option<String>)>;

fn names(desired: &Desired) -> Names {
    let nodes = &desired.nodes;
    let quorum = [Some(&nodes.control_plane), nodes.etcd.as_ref()];
    let others = [Some(&nodes.workers), Some(&nodes.system), Some(&nodes.gpu)];
    let all = || quorum.iter().chain(&others).copied().flatten();
    let mut names = Names::new();
    for selector in all().flatten() {
        if let Selector::Name(name) = selector {
            add(&mut names, name.clone(), None);
        }
    }
    for list in quorum.into_iter().flatten() {
        list.iter().for_each(|selector| invent_for(&mut names, selector, 3));
    }
    for list in others.into_iter().flatten() {
        list.iter().for_each(|selector| invent_for(&mut names, selector, 2));
    }
    make_odd(&mut names, nodes.etcd.as_ref().unwrap_or(&nodes.control_plane));
    names
}

fn add(names: &mut Names, name: String, category: Option<String>) {
    if !names.iter().any(|(known, _)| *known == name) {
        names.push((name, category));
    }
}

/// Names that a selector could mean, with their category.
fn options(selector: &Selector, wanted: usize) -> Names {
    match selector {
        Selector::Name(_) => Names::new(),
        Selector::Glob(glob) => invent::names(glob, wanted).into_iter().map(|name| (name, None)).collect(),
        Selector::Category(category) => {
            (1..=wanted).map(|number| (format!("{}-{number:02}", label(category)), Some(category.clone()))).collect()
        }
    }
}

/// A category as the beginning of a name.
fn label(category: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = category.chars().map(plain).take(40).collect();
    let text = text.trim_matches('-');
    if text.is_empty() { "node".to_owned() } else { text.to_owned() }
}

fn is_meant(selector: &Selector, (name, category): &(String, Option<String>)) -> bool {
    match selector {
        Selector::Name(wanted) => wanted == name,
        Selector::Glob(glob) => globset::Glob::new(glob).is_ok_and(|glob| glob.compile_matcher().is_match(name)),
        Selector::Category(wanted) => category.as_ref() == Some(wanted),
    }
}

/// A glob that already matches a name needs no others.
fn invent_for(names: &mut Names, selector: &Selector, wanted: usize) {
    if matches!(selector, Selector::Glob(_)) && names.iter().any(|known| is_meant(selector, known)) {
        return;
    }
    for (name, category) in options(selector, wanted) {
        add(names, name, category);
    }
}

/// etcd wants an odd number: one name more where a selector allows it, else one less.
fn make_odd(names: &mut Names, members: &[Selector]) {
    let is_member = |known: &(String, Option<String>)| members.iter().any(|selector| is_meant(selector, known));
    if names.iter().filter(|known| is_member(known)).count() % 2 == 1 {
        return;
    }
    let further = members.iter().flat_map(|selector| options(selector, names.len() + 1));
    if let Some((name, category)) = further.into_iter().find(|(name, _)| names.iter().all(|(known, _)| known != name)) {
        add(names, name, category);
        return;
    }
    let named = |name: &str| members.iter().any(|selector| *selector == Selector::Name(name.to_owned()));
    if let Some(last) = names.iter().rposition(|known| is_member(known) && !named(&known.0)) {
        names.remove(last);
    }
}

/// Globs for which nothing comes to mind are replaced by a name: a rehearsal is about the rest of the site.
fn replace_strange(desired: &mut Desired) {
    let nodes = &mut desired.nodes;
    let lists = [&mut nodes.control_plane, &mut nodes.workers, &mut nodes.system, &mut nodes.gpu];
    let mut number = 0;
    for selector in lists.into_iter().chain(nodes.etcd.as_mut()).flatten() {
        if matches!(selector, Selector::Glob(glob) if invent::names(glob, 1).is_empty()) {
            number += 1;
            *selector = Selector::Name(format!("made-up-{number:02}"));
        }
    }
}

/// Room for as many nodes as there are: each takes one part of the pod range.
fn room_for_pods(desired: &mut Desired, nodes: usize) {
    let Some(pods) = desired.kubernetes.pods else { return };
    let bits = u8::try_from(nodes.next_power_of_two().trailing_zeros()).unwrap_or(u8::MAX);
    let needed = pods.prefix_len().saturating_add(bits).min(30);
    desired.kubernetes.node_prefix = desired.kubernetes.node_prefix.max(needed);
}

fn more_workers(desired: &mut Desired, names: &mut Names, wanted: usize) {
    let mut number = 1;
    while names.len() < wanted {
        let name = format!("rehearsal-{number:05}");
        desired.nodes.workers.push(Selector::Name(name.clone()));
        add(names, name, None);
        number += 1;
    }
}

/// The production range: the site's, or a roomy one of our own when that is too small; overridden addresses go with it.
fn production(desired: &mut Desired, nodes: usize) -> Result<Ipv4Net, Problem> {
    let roomy = ROOMY.parse::<Ipv4Net>().map_err(|error| Problem::while_doing("parsing").to(ROOMY).bug(error))?;
    let given = match &desired.networks.production {
        ProductionNetwork::Cidr(net) => Some(*net),
        ProductionNetwork::Name(_) => None,
    };
    if let Some(net) = given
        && net.hosts().take(nodes + RESERVED + 1).count() > nodes + RESERVED
    {
        return Ok(net);
    }
    if given.is_some() {
        desired.networks.production = ProductionNetwork::Cidr(roomy);
        desired.platform.ingress.address = None;
        desired.nodes.overrides.values_mut().for_each(|o| o.address = None);
    }
    Ok(roomy)
}

/// Host numbers at the start of the range that no node gets: the gateway, the head node, some air.
const RESERVED: usize = 10;

fn listed(desired: &Desired, names: &Names, production: Ipv4Net, network: &str) -> Inventory {
    let out_of_band = desired.networks.forbidden.first().copied().or_else(|| OUT_OF_BAND.parse().ok());
    let taken: Vec<Ipv4Addr> = desired.nodes.overrides.values().filter_map(|o| o.address).collect();
    let mut ours = production
        .hosts()
        .skip(RESERVED)
        .filter(|a| !taken.contains(a) && !desired.networks.forbidden.iter().any(|n| n.contains(a)));
    let bmc: Vec<Ipv4Addr> =
        out_of_band.map(|n| n.hosts().skip(RESERVED).take(names.len()).collect()).unwrap_or_default();
    let mut nodes = vec![head(desired, production, network)];
    for (index, (name, category)) in names.iter().enumerate() {
        let own = desired.nodes.overrides.get(name.as_str()).and_then(|o| o.address).or_else(|| ours.next());
        nodes.push(machine(name, category.clone(), bmc.get(index).copied(), own, network));
    }
    Inventory {
        schema: SCHEMA,
        source: "made up".to_owned(),
        networks: networks(
            production,
            out_of_band,
            network,
            desired.kubernetes.mtu.map_or(1500, |mtu| mtu.max(1450) + 50),
        ),
        categories: categories(names),
        nodes,
        overlays: Observed::Absent,
    }
}

/// `mtu`: enough for what the site wants of the plugin.
fn networks(production: Ipv4Net, out_of_band: Option<Ipv4Net>, name: &str, mtu: u32) -> Vec<Network> {
    let network = |name: &str, cidr: Ipv4Net, gateway| Network {
        name: name.to_owned(),
        uuid: uuid(&format!("network {name}")),
        kind: "INTERNAL".to_owned(),
        cidr: Some(cidr),
        gateway,
        dhcp_pool: None,
        management: true,
        domain: "rehearsal.invalid".to_owned(),
        mtu,
    };
    let mut all = vec![network(name, production, production.hosts().next())];
    all.extend(out_of_band.map(|cidr| network("out-of-band", cidr, None)));
    all
}

fn categories(names: &Names) -> Vec<Category> {
    let by_name: BTreeMap<&String, ()> = names.iter().filter_map(|(_, c)| c.as_ref()).map(|c| (c, ())).collect();
    by_name.into_keys().map(|name| Category { name: name.clone(), uuid: uuid(&format!("category {name}")) }).collect()
}

fn head(desired: &Desired, production: Ipv4Net, network: &str) -> InventoryNode {
    let host = match &desired.inventory {
        InventorySource::Bcm(access) => plinth_plan::endpoint_host(&access.endpoint).to_owned(),
        InventorySource::Static(_) => "head".to_owned(),
    };
    let short = host.split('.').next().unwrap_or("head").to_lowercase();
    let address = production.hosts().nth(1);
    InventoryNode {
        name: short,
        uuid: uuid("head"),
        kind: NodeKind::Head,
        category: None,
        template: false,
        interfaces: vec![interface("ens1f0", InterfaceKind::Physical, address, network)],
        given: None,
    }
}

/// A machine as BCM lists it: the BMC first, because the order means nothing and must not be relied on.
fn machine(
    name: &str,
    category: Option<String>,
    bmc: Option<Ipv4Addr>,
    own: Option<Ipv4Addr>,
    network: &str,
) -> InventoryNode {
    let mut interfaces = Vec::new();
    if bmc.is_some() {
        interfaces.push(interface("ipmi0", InterfaceKind::Bmc, bmc, "out-of-band"));
    }
    interfaces.push(interface("bond0", InterfaceKind::Bond, own, network));
    InventoryNode {
        name: name.to_owned(),
        uuid: uuid(&format!("node {name}")),
        kind: NodeKind::Physical,
        category,
        template: false,
        interfaces,
        given: None,
    }
}

fn interface(name: &str, kind: InterfaceKind, address: Option<Ipv4Addr>, network: &str) -> Interface {
    Interface {
        name: name.to_owned(),
        kind,
        address: address.unwrap_or(Ipv4Addr::UNSPECIFIED).to_string(),
        dhcp: false,
        start: "ALWAYS".to_owned(),
        network: Some(network.to_owned()),
        priority: 60,
    }
}

/// The same name always gets the same entity id.
fn uuid(name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("plinth rehearsal {name}").as_bytes()).to_string()
}
