//! Entities made from an inventory, so that any site, and any number of nodes, can be simulated.

use super::BcmFixture;
use plinth_model::inventory::{Category, Interface, InterfaceKind, Inventory, InventoryNode, Network, NodeKind};
use plinth_world::bcm::wire::{ZERO_UUID, interface_child_type};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use uuid::Uuid;

const ZERO_ADDRESS: &str = "0.0.0.0";
const ZERO_MAC: &str = "00:00:00:00:00:00";

/// Entity ids by name.
type Ids = BTreeMap<String, String>;

impl BcmFixture {
    /// A BCM that would give this inventory. Made-up ids stand where the inventory has none; a BMC is listed first, as real
    /// systems do. A node with a given address and no interfaces gets one physical interface with that address.
    #[must_use]
    pub fn from_inventory(inventory: &Inventory) -> Self {
        fixture(inventory)
    }
}

fn fixture(inventory: &Inventory) -> BcmFixture {
    let networks = ids("network", inventory.networks.iter().map(|n| (&n.name, &n.uuid)));
    let unlisted = inventory.nodes.iter().filter_map(|node| node.category.as_ref());
    let mut categories = ids("category", unlisted.map(|name| (name, name)));
    categories.extend(ids("category", inventory.categories.iter().map(|c| (&c.name, &c.uuid))));
    BcmFixture {
        devices: inventory.nodes.iter().map(|node| device(node, &inventory.networks, &networks, &categories)).collect(),
        networks: inventory.networks.iter().map(|n| network(n, &networks)).collect(),
        categories: listed(&inventory.categories, &categories)
            .into_iter()
            .map(|(name, id)| category(name, id))
            .collect(),
        users: Vec::new(),
        kube_clusters: Vec::new(),
    }
}

/// Categories in the order of the inventory, then the ones that only nodes name. An id in place of a name has no category.
fn listed<'a>(known: &'a [Category], ids: &'a Ids) -> Vec<(&'a str, &'a str)> {
    let first = known.iter().filter_map(|c| ids.get_key_value(&c.name));
    let rest = ids.iter().filter(|(name, _)| !known.iter().any(|c| c.name == **name) && Uuid::parse_str(name).is_err());
    first.chain(rest).map(|(name, id)| (name.as_str(), id.as_str())).collect()
}

fn ids<'a>(family: &str, entities: impl Iterator<Item = (&'a String, &'a String)>) -> Ids {
    entities.map(|(name, uuid)| (name.clone(), id(family, name, uuid))).collect()
}

/// The id there is, or one made from the name, always the same.
fn id(family: &str, name: &str, known: &str) -> String {
    match Uuid::parse_str(known) {
        Ok(_) => known.to_owned(),
        Err(_) => Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("plinth-sim:{family}:{name}").as_bytes()).to_string(),
    }
}

/// The id behind a name that an entity refers to; none is zeros.
fn reference(name: Option<&str>, family: &str, ids: &Ids) -> String {
    let known = |name: &str| ids.get(name).cloned().unwrap_or_else(|| id(family, name, name));
    name.map_or_else(|| ZERO_UUID.to_owned(), known)
}

/// An entity with the fields that all have.
fn entity(base: &str, child: &str, uuid: &str, fields: Value) -> Value {
    let mut entity = json!({
        "baseType": base, "childType": child, "uuid": uuid, "extra_values": null, "modified": false, "revision": "",
        "to_be_removed": false,
    });
    if let (Some(entity), Value::Object(fields)) = (entity.as_object_mut(), fields) {
        entity.extend(fields);
    }
    entity
}

fn device(node: &InventoryNode, networks: &[Network], network_ids: &Ids, categories: &Ids) -> Value {
    let uuid = id("device", &node.name, &node.uuid);
    let child = match &node.kind {
        NodeKind::Head => "HeadNode",
        NodeKind::Physical => "PhysicalNode",
        NodeKind::Other(kind) => kind,
    };
    let mut fields = json!({
        "hostname": node.name, "parent_uuid": uuid, "mac": ZERO_MAC, "managementNetwork": ZERO_UUID, "powerControl": "none",
        "roles": [], "interfaces": interfaces(node, networks, network_ids), "notes": "",
    });
    if node.kind != NodeKind::Head {
        fields["category"] = Value::from(reference(node.category.as_deref(), "category", categories));
        fields["templateNode"] = Value::from(node.template);
    }
    entity("Device", child, &uuid, fields)
}

fn interfaces(node: &InventoryNode, networks: &[Network], ids: &Ids) -> Vec<Value> {
    let synthetic = node.given.filter(|_| node.interfaces.is_empty()).map(|address| given(address, networks));
    let mut all: Vec<&Interface> = node.interfaces.iter().chain(synthetic.as_ref()).collect();
    all.sort_by_key(|interface| interface.kind != InterfaceKind::Bmc);
    all.into_iter().map(|interface| interface_entity(&node.name, interface, ids)).collect()
}

fn given(address: Ipv4Addr, networks: &[Network]) -> Interface {
    let network = networks.iter().find(|n| n.cidr.is_some_and(|cidr| cidr.contains(&address)));
    Interface {
        name: "eth0".to_owned(),
        kind: InterfaceKind::Physical,
        address: address.to_string(),
        dhcp: false,
        start: "ALWAYS".to_owned(),
        network: network.map(|n| n.name.clone()),
        priority: 60,
    }
}

fn interface_entity(node: &str, interface: &Interface, networks: &Ids) -> Value {
    let uuid = id("interface", &format!("{node}/{}", interface.name), "");
    entity(
        "NetworkInterface",
        interface_child_type(&interface.kind),
        &uuid,
        json!({
            "name": interface.name, "ip": interface.address, "ipv6Ip": "::0", "dhcp": interface.dhcp, "ipv6Dhcp": false,
            "network": reference(interface.network.as_deref(), "network", networks), "startIf": interface.start,
            "onNetworkPriority": interface.priority, "bootable": false, "bringupduringinstall": "NO", "mac": ZERO_MAC,
            "alternativeHostname": "", "additionalHostnames": [], "connectedMode": false, "excludeFromDhcpd": false,
            "switchPorts": [],
        }),
    )
}

fn network(network: &Network, ids: &Ids) -> Value {
    let address = |address: Option<Ipv4Addr>| address.map_or_else(|| ZERO_ADDRESS.to_owned(), |a| a.to_string());
    let base = network.cidr.map(|cidr| cidr.network());
    entity(
        "Network",
        "",
        &reference(Some(&network.name), "network", ids),
        json!({
            "name": network.name, "type": network.kind, "baseAddress": address(base),
            "netmaskBits": network.cidr.map_or(0, |cidr| cidr.prefix_len()), "gateway": address(network.gateway),
            "dynamicRangeStart": address(network.dhcp_pool.map(|pool| pool.0)),
            "dynamicRangeEnd": address(network.dhcp_pool.map(|pool| pool.1)), "management": network.management,
            "domainName": network.domain, "mtu": network.mtu, "bootable": false, "gatewayMetric": 0, "IPv6": false,
            "ipv6BaseAddress": "::0", "ipv6NetmaskBits": 0, "ipv6Gateway": "::0", "notes": "",
        }),
    )
}

/// With a BMC password, as real categories have one: nobody may show it.
fn category(name: &str, uuid: &str) -> Value {
    let bmc =
        json!({"userName": "bright", "userID": 4, "password": "simulated-bmc-password", "privilege": "ADMINISTRATOR"});
    let settings = entity("BMCSettings", "", &id("bmc", name, ""), bmc);
    let fields = json!({
        "name": name, "parent_uuid": uuid, "bmcSettings": settings, "roles": [], "installMode": "AUTO",
        "newNodeInstallMode": "FULL", "managementNetwork": ZERO_UUID, "notes": "",
    });
    entity("Category", "", uuid, fields)
}
