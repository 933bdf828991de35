//! BCM's entities to plinth's own inventory. Nothing is judged here: which address is safe is decided by the planner.

use crate::entity::{Category, Device, Network, NetworkInterface};
use ipnet::Ipv4Net;
use plinth_model::Observed;
use plinth_model::inventory::{self, Interface, Inventory, InventoryNode, NodeKind, SCHEMA};
use plinth_world::bcm::wire;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// BCM's own default.
const MTU: u32 = 1500;
/// What is said of a device that is to be removed.
const LEAVING: &str = "marked for removal";
/// Why overlays are never known by way of JSON.
const OVERLAYS_UNKNOWN: &str = "BCM has no evidenced JSON call for configuration overlays";

/// Makes an inventory. `source` says who said it: `bcm https://bcm-head-01:8081`.
#[must_use]
pub fn inventory(source: String, devices: &[Device], networks: &[Network], categories: &[Category]) -> Inventory {
    let network_names: Names = networks.iter().map(|n| (n.uuid.as_str(), n.name.as_str())).collect();
    let category_names: Names = categories.iter().map(|c| (c.uuid.as_str(), c.name.as_str())).collect();
    Inventory {
        schema: SCHEMA,
        source,
        nodes: devices.iter().map(|device| node(device, &network_names, &category_names)).collect(),
        networks: networks.iter().map(network).collect(),
        categories: categories
            .iter()
            .map(|c| inventory::Category { name: c.name.clone(), uuid: c.uuid.clone() })
            .collect(),
        overlays: Observed::Unknown(OVERLAYS_UNKNOWN.to_owned()),
    }
}

/// Names by entity id.
type Names<'a> = HashMap<&'a str, &'a str>;

fn node(device: &Device, networks: &Names<'_>, categories: &Names<'_>) -> InventoryNode {
    InventoryNode {
        name: device.hostname.clone(),
        uuid: device.uuid.clone(),
        kind: if is_leaving(device) {
            NodeKind::Other(format!("{}, {LEAVING}", device.child_type))
        } else {
            node_kind(&device.child_type)
        },
        category: reference(device.category.as_deref(), categories),
        template: device.template_node.unwrap_or(false),
        interfaces: device.interfaces.iter().flatten().map(|i| interface(i, networks)).collect(),
        given: None,
    }
}

/// Whether somebody marked it for removal: then it may be gone with the next commit, and is no machine to build on.
fn is_leaving(device: &Device) -> bool {
    ["to_be_removed", "toBeRemoved"].iter().any(|key| device.rest.get(*key) == Some(&serde_json::Value::Bool(true)))
}

/// Whether a device is a head node.
#[must_use]
pub fn is_head(device: &Device) -> bool {
    node_kind(&device.child_type) == NodeKind::Head
}

fn node_kind(child_type: &str) -> NodeKind {
    if child_type.eq_ignore_ascii_case("HeadNode") {
        NodeKind::Head
    } else if child_type.eq_ignore_ascii_case("PhysicalNode") {
        NodeKind::Physical
    } else {
        NodeKind::Other(child_type.to_owned())
    }
}

fn interface(interface: &NetworkInterface, networks: &Names<'_>) -> Interface {
    let (kind, usual_priority) = wire::interface_kind(&interface.child_type);
    Interface {
        name: interface.name.clone(),
        kind,
        address: interface.ip.clone().unwrap_or_default(),
        dhcp: interface.dhcp.unwrap_or(false),
        start: interface.start_if.clone().unwrap_or_default(),
        network: reference(interface.network.as_deref(), networks),
        priority: interface.on_network_priority.unwrap_or(usual_priority),
    }
}

/// The name behind an entity id. Zeros and nothing are no reference; an id that nothing has stays as it is, so that people see it.
fn reference(uuid: Option<&str>, names: &Names<'_>) -> Option<String> {
    let uuid = uuid.filter(|uuid| !uuid.is_empty() && *uuid != wire::ZERO_UUID)?;
    Some(names.get(uuid).copied().unwrap_or(uuid).to_owned())
}

fn network(network: &Network) -> inventory::Network {
    inventory::Network {
        name: network.name.clone(),
        uuid: network.uuid.clone(),
        kind: network.kind.clone().unwrap_or_default(),
        cidr: cidr(network),
        gateway: address(network.gateway.as_deref()),
        dhcp_pool: address(network.dynamic_range_start.as_deref()).zip(address(network.dynamic_range_end.as_deref())),
        management: network.management.unwrap_or(false),
        domain: network.domain_name.clone().unwrap_or_default(),
        mtu: network.mtu.and_then(|mtu| u32::try_from(mtu).ok()).unwrap_or(MTU),
    }
}

fn cidr(network: &Network) -> Option<Ipv4Net> {
    let base = address(network.base_address.as_deref())?;
    let bits = u8::try_from(network.netmask_bits?).ok()?;
    Ipv4Net::new(base, bits).ok().map(|net| net.trunc())
}

/// An address that is set and is one.
fn address(text: Option<&str>) -> Option<Ipv4Addr> {
    text?.parse().ok().filter(|address: &Ipv4Addr| !address.is_unspecified())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::entity::decode_list;
    use serde_json::{Value, json};

    fn convert(devices: Value, networks: Value, categories: Value) -> Inventory {
        let list = |value: Value| value.as_array().unwrap().clone();
        inventory(
            "bcm test".to_owned(),
            &decode_list(list(devices)).unwrap(),
            &decode_list(list(networks)).unwrap(),
            &decode_list(list(categories)).unwrap(),
        )
    }

    fn interface_json(child_type: &str) -> Value {
        json!({"baseType": "NetworkInterface", "childType": child_type, "uuid": "i", "name": "x", "network": "n-1"})
    }

    #[test]
    fn references_become_names_and_strangers_stay_visible() {
        let device = |category: &str| {
            json!({"baseType": "Device", "childType": "physicalnode", "uuid": "d", "hostname": "n", "category": category,
                "templateNode": true, "interfaces": [interface_json("NetworkPhysicalInterface")]})
        };
        let inventory = convert(
            json!([device("c-1"), device("c-9"), device(wire::ZERO_UUID)]),
            json!([{"baseType": "Network", "childType": "", "uuid": "n-1", "name": "dgxnet"}]),
            json!([{"baseType": "Category", "childType": "", "uuid": "c-1", "name": "dgx-h100"}]),
        );
        let categories: Vec<Option<&str>> = inventory.nodes.iter().map(|n| n.category.as_deref()).collect();
        assert_eq!(categories, [Some("dgx-h100"), Some("c-9"), None]);
        assert_eq!(inventory.nodes[0].interfaces[0].network.as_deref(), Some("dgxnet"));
        assert_eq!((inventory.nodes[0].template, &inventory.nodes[0].kind), (true, &NodeKind::Physical));
        assert!(matches!(inventory.overlays, Observed::Unknown(_)));
    }

    #[test]
    fn a_device_that_is_marked_for_removal_is_no_machine_to_build_on() {
        let device = |leaving: bool| json!({"baseType": "Device", "childType": "PhysicalNode", "uuid": "d", "hostname": "n", "to_be_removed": leaving});
        let inventory = convert(json!([device(true), device(false)]), json!([]), json!([]));
        let kinds: Vec<&str> = inventory.nodes.iter().map(|node| node.kind.as_str()).collect();
        assert_eq!(kinds, ["PhysicalNode, marked for removal", "physical"]);
    }

    #[test]
    fn zeros_and_nonsense_in_a_network_are_nothing() {
        let network = |base: &str, bits: i64| {
            json!({"baseType": "Network", "childType": "", "uuid": "n", "name": "n", "baseAddress": base, "netmaskBits": bits,
                "gateway": "0.0.0.0", "dynamicRangeStart": "10.0.0.1", "dynamicRangeEnd": "0.0.0.0", "mtu": -1})
        };
        let cases = [
            ("0.0.0.0", 0, None),
            ("10.1.2.3", 16, Some("10.1.0.0/16")),
            ("10.1.0.0", 33, None),
            ("x", 8, None),
            ("10.0.0.0", -1, None),
        ];
        for (base, bits, expected) in cases {
            let inventory = convert(json!([]), json!([network(base, bits)]), json!([]));
            let found = &inventory.networks[0];
            assert_eq!(found.cidr, expected.map(|text| text.parse().unwrap()), "{base}/{bits}");
            assert_eq!((found.gateway, found.dhcp_pool, found.mtu), (None, None, 1500));
        }
    }
}
