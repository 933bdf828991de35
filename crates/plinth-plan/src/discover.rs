//! Nodes, their roles and their production addresses: what the site wants, held against what the inventory says.

use crate::address::{AddressChoice, AddressSource, Rules};
use crate::select::{Members, members};
use crate::{collision, names, ranges};
use ipnet::Ipv4Net;
use plinth_model::finding::code;
use plinth_model::inventory::{Inventory, InventoryNode, Network, NodeKind};
use plinth_model::nearest::nearest_few;
use plinth_model::{Finding, Severity};
use plinth_site::Desired;
use plinth_site::desired::{BcmAccess, InventorySource, ProductionNetwork, TlsTrust};
use serde::Serialize;
use std::net::Ipv4Addr;

/// Schema number of `discover --json`.
pub const SCHEMA: u32 = 1;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A BCM head node; never part of the cluster.
    Head,
    /// Runs the API server and what belongs to it.
    ControlPlane,
    /// Runs pods of users and of the platform.
    Worker,
    /// Is a member of etcd, so a majority of them must stay up.
    Etcd,
    /// Has GPUs.
    Gpu,
    /// Carries Run:ai's system services.
    System,
}

impl Role {
    /// The word in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Head => "head",
            Role::ControlPlane => "control-plane",
            Role::Worker => "worker",
            Role::Etcd => "etcd",
            Role::Gpu => "gpu",
            Role::System => "system",
        }
    }
}

/// One machine of the inventory, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredNode {
    /// Hostname.
    pub name: String,
    /// What kind of machine.
    pub kind: NodeKind,
    /// As the inventory has it; none where it has none.
    pub category: Option<String>,
    /// Production address; none when no address is safe.
    pub address: Option<Ipv4Addr>,
    /// Where the address comes from.
    pub address_source: Option<AddressSource>,
    /// Network of the address.
    pub network: Option<String>,
    /// Roles; empty: not in the cluster.
    pub roles: Vec<Role>,
    /// Whether it has GPUs.
    pub gpu: bool,
    /// Addresses not taken, and why.
    pub passed_over: Vec<String>,
}

/// A network of the inventory, as `discover` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredNetwork {
    /// Name at the source, unique there.
    pub name: String,
    /// Range.
    pub cidr: Option<Ipv4Net>,
    /// As the source has it; none: it has none.
    pub gateway: Option<Ipv4Addr>,
    /// `INTERNAL`, `EXTERNAL`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is the site's production network.
    pub production: bool,
    /// Whether the site forbids its addresses.
    pub forbidden: bool,
}

/// Everything discovery found out. Head nodes first, then by name: the order of the inventory has no meaning.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// All machines, those outside the cluster too.
    pub nodes: Vec<DiscoveredNode>,
    /// Who does what; positions in `nodes`.
    pub members: Members,
    /// All that the inventory lists.
    pub networks: Vec<DiscoveredNetwork>,
    /// Range of the production network, when the site or the inventory says it.
    pub production: Option<Ipv4Net>,
    /// What is wrong or doubtful.
    pub findings: Vec<Finding>,
}

/// Discovers. Pure: the inventory was read before.
#[must_use]
pub fn discover(desired: &Desired, inventory: &Inventory) -> Discovery {
    let mut nodes: Vec<&InventoryNode> = inventory.nodes.iter().collect();
    nodes.sort_by(|a, b| (a.kind != NodeKind::Head, &a.name).cmp(&(b.kind != NodeKind::Head, &b.name)));
    let (members, mut findings) = members(&desired.nodes, &nodes);
    let mut member = vec![false; nodes.len()];
    members.all(nodes.len()).into_iter().for_each(|i| member[i] = true);
    let rules = Rules::new(&desired.networks, inventory);
    findings.extend(names::check(desired, &nodes, &member));
    findings.extend(production(desired, inventory, &rules));
    findings.extend(ranges::check(desired, inventory, &rules, &members));
    findings.extend(collision::ranges(&desired.kubernetes, inventory));
    findings.extend(collision::announced(desired, inventory));
    findings.extend(collision::unreadable(inventory));
    let mut choices: Vec<AddressChoice> = nodes.iter().map(|node| choose(desired, &rules, node)).collect();
    for (i, choice) in choices.iter_mut().enumerate() {
        let found = doubts(nodes[i], member[i], choice);
        // That the production network is not known was said; that no address is in it follows for every node.
        findings.extend(
            found.into_iter().filter(|finding| rules.knows_production() || finding.code != code::BCM_ADDRESS_NONE_SAFE),
        );
    }
    findings.extend(collision::check(&nodes, &member, &mut choices, &inventory.networks));
    let networks = inventory.networks.iter().map(|n| network(&rules, n)).collect();
    let roles = roles(&nodes, &members);
    let nodes =
        nodes.iter().zip(choices).zip(roles).map(|((node, choice), roles)| judged(node, choice, roles)).collect();
    Discovery { nodes, members, networks, production: rules.range(), findings }
}

fn choose(desired: &Desired, rules: &Rules<'_>, node: &InventoryNode) -> AddressChoice {
    if node.template {
        return AddressChoice { passed_over: vec!["a template, not a machine".into()], ..AddressChoice::default() };
    }
    rules.choose(node, desired.nodes.overrides.get(node.name.as_str()).and_then(|o| o.address))
}

fn judged(node: &InventoryNode, choice: AddressChoice, roles: Vec<Role>) -> DiscoveredNode {
    DiscoveredNode {
        name: node.name.clone(),
        kind: node.kind.clone(),
        category: node.category.clone(),
        address: choice.address,
        address_source: choice.source,
        network: choice.network,
        gpu: roles.contains(&Role::Gpu),
        roles,
        passed_over: choice.passed_over,
    }
}

fn network(rules: &Rules<'_>, network: &Network) -> DiscoveredNetwork {
    DiscoveredNetwork {
        name: network.name.clone(),
        cidr: network.cidr,
        gateway: network.gateway,
        kind: network.kind.clone(),
        production: rules.is_production(network),
        forbidden: network.cidr.is_some_and(|c| rules.forbidden_in(c)),
    }
}

fn roles(nodes: &[&InventoryNode], members: &Members) -> Vec<Vec<Role>> {
    let mut roles: Vec<Vec<Role>> =
        nodes.iter().map(|n| if n.kind == NodeKind::Head { vec![Role::Head] } else { Vec::new() }).collect();
    let groups = [
        (Role::ControlPlane, &members.control_plane),
        (Role::Worker, &members.workers),
        (Role::Etcd, &members.etcd),
        (Role::Gpu, &members.gpu),
        (Role::System, &members.system),
    ];
    for (role, nodes) in groups {
        nodes.iter().for_each(|&i| roles[i].push(role));
    }
    roles
}

/// Findings about one node's address: errors for members of the cluster only.
fn doubts(node: &InventoryNode, member: bool, choice: &mut AddressChoice) -> Vec<Finding> {
    let mut findings = std::mem::take(&mut choice.doubts);
    if !member {
        findings.iter_mut().for_each(|f| f.severity = Severity::Info);
    }
    let refused = findings.iter().any(Finding::is_error);
    if choice.address.is_none() && !node.template && !refused {
        findings.push(none_safe(node, member, &choice.passed_over));
    }
    findings
}

fn none_safe(node: &InventoryNode, member: bool, passed_over: &[String]) -> Finding {
    let (severity, code) = match (&node.kind, member) {
        (_, true) => (Severity::Error, code::BCM_ADDRESS_NONE_SAFE),
        (NodeKind::Head, _) => (Severity::Warning, code::BCM_HEAD_ADDRESS_UNKNOWN),
        _ => (Severity::Info, code::BCM_ADDRESS_NONE_SAFE),
    };
    let role = if member { "" } else { " (it is not in the cluster)" };
    let text = format!("no address of {} is safe to use{role}", node.name);
    let mut finding = Finding::new(severity, code, node.name.as_str(), text)
        .fix(format!("record its production address in BCM, or write nodes.overrides.{}.address", node.name));
    finding.evidence = match passed_over {
        [] => vec!["the inventory lists no interface".into()],
        lines => lines.to_vec(),
    };
    finding
}

/// Findings about the production network and the way to the inventory.
fn production(desired: &Desired, inventory: &Inventory, rules: &Rules<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let InventorySource::Bcm(bcm) = &desired.inventory else { return findings };
    findings.extend(insecure(bcm));
    let listed = inventory.networks.iter().any(|n| rules.is_production(n));
    match &desired.networks.production {
        ProductionNetwork::Name(name) if !listed => {
            let names: Vec<&str> = inventory.networks.iter().map(|n| n.name.as_str()).collect();
            let near = nearest_few(name, names.iter().copied());
            let fix = if near.is_empty() {
                "write its range instead".into()
            } else {
                format!("did you mean {}?", near.join(", "))
            };
            findings.push(
                Finding::error(
                    code::BCM_NETWORK_UNKNOWN,
                    "networks.production",
                    format!("BCM lists no network `{name}`"),
                )
                .evidence(format!("networks: {}", names.join(", ")))
                .fix(fix),
            );
        }
        ProductionNetwork::Cidr(range) if !listed => findings.push(
            Finding::warning(
                code::BCM_NETWORK_UNKNOWN,
                "networks.production",
                format!("BCM lists no network that holds {range}"),
            )
            .evidence(format!("{} networks are listed", inventory.networks.len()))
            .fix("check the range; if BCM does not know the production network, give addresses in nodes.overrides"),
        ),
        _ => {}
    }
    findings
}

fn insecure(bcm: &BcmAccess) -> Option<Finding> {
    (bcm.tls == TlsTrust::Insecure).then(|| {
        Finding::warning(
            code::BCM_TLS_INSECURE,
            "inventory.bcm.tls.insecure",
            "whoever answers at the BCM address is believed and gets the password",
        )
        .evidence(format!("insecure: true for {}", bcm.endpoint))
        .fix("save BCM's certificate authority to a file and name it in tls.caFile")
    })
}

/// One node of `discover --json`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportNode {
    /// Hostname.
    pub name: String,
    /// `head`, `physical`, or what the inventory calls it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Category, or null.
    pub category: Option<String>,
    /// Production address; null where none is safe.
    pub address: Option<Ipv4Addr>,
    /// `override`, `static`, `interface`; null without an address.
    pub address_source: Option<String>,
    /// Name of the interface the address is on, if it comes from one.
    pub interface: Option<String>,
    /// Network of the address.
    pub network: Option<String>,
    /// Empty: it is not in the cluster.
    pub roles: Vec<Role>,
    /// Whether it has GPUs.
    pub gpu: bool,
    /// Addresses not taken, and why.
    pub passed_over: Vec<String>,
}

/// `discover --json`. Fields are only ever added.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoverReport {
    /// [`SCHEMA`] of the plinth that answers.
    pub schema: u32,
    /// All machines, those outside of the cluster too; head nodes first, then by name.
    pub nodes: Vec<ReportNode>,
    /// All that the inventory lists.
    pub networks: Vec<DiscoveredNetwork>,
    /// What is wrong or doubtful; an error means that no plan can be made.
    pub findings: Vec<Finding>,
}

impl From<&Discovery> for DiscoverReport {
    fn from(discovery: &Discovery) -> Self {
        Self {
            schema: SCHEMA,
            nodes: discovery.nodes.iter().map(ReportNode::from).collect(),
            networks: discovery.networks.clone(),
            findings: discovery.findings.clone(),
        }
    }
}

impl From<&DiscoveredNode> for ReportNode {
    fn from(node: &DiscoveredNode) -> Self {
        let interface = match &node.address_source {
            Some(AddressSource::Interface(name)) => Some(name.clone()),
            _ => None,
        };
        Self {
            name: node.name.clone(),
            kind: node.kind.as_str().to_owned(),
            category: node.category.clone(),
            address: node.address,
            address_source: node.address_source.as_ref().map(|s| s.as_str().to_owned()),
            interface,
            network: node.network.clone(),
            roles: node.roles.clone(),
            gpu: node.gpu,
            passed_over: node.passed_over.clone(),
        }
    }
}
