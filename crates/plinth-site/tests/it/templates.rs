//! What `init` writes is valid.

use plinth_model::Observed;
use plinth_model::inventory::{
    Category, Interface, InterfaceKind, Inventory, InventoryNode, Network, NodeKind, SCHEMA,
};
use plinth_site::template::{InitAnswers, from_inventory, init};

fn accepted(text: &str) -> plinth_site::Desired {
    crate::read(text).map(|site| site.desired).unwrap_or_else(|rejected| {
        panic!(
            "{}\n{text}",
            plinth_site::render::findings_text(&rejected.findings, &rejected.source, &rejected.file, false)
        )
    })
}

#[test]
fn a_new_site_file_is_valid_and_commented() {
    let text = init(&InitAnswers::named("north"));
    assert_eq!(accepted(&text).name.as_str(), "north");
    assert!(text.matches('#').count() > 10, "{text}");
    let without_bcm = init(&InitAnswers { endpoint: None, ..InitAnswers::named("north") });
    assert!(accepted(&without_bcm).runai.is_some());
}

fn interface(kind: InterfaceKind, network: &str) -> Interface {
    Interface {
        name: "eth0".to_owned(),
        kind,
        address: "10.1.0.5".to_owned(),
        dhcp: false,
        start: "ALWAYS".to_owned(),
        network: Some(network.to_owned()),
        priority: 1,
    }
}

fn node(name: &str, category: &str, networks: &[&str]) -> InventoryNode {
    let mut interfaces: Vec<Interface> = networks.iter().map(|n| interface(InterfaceKind::Physical, n)).collect();
    interfaces.push(interface(InterfaceKind::Bmc, "oob"));
    InventoryNode {
        name: name.to_owned(),
        uuid: String::new(),
        kind: NodeKind::Physical,
        category: Some(category.to_owned()),
        template: false,
        interfaces,
        given: None,
    }
}

fn network(name: &str, cidr: &str) -> Network {
    Network {
        name: name.to_owned(),
        uuid: String::new(),
        kind: "INTERNAL".to_owned(),
        cidr: cidr.parse().ok(),
        gateway: None,
        dhcp_pool: None,
        management: true,
        domain: String::new(),
        mtu: 1500,
    }
}

fn inventory(networks: &[&str]) -> Inventory {
    let mut nodes: Vec<InventoryNode> =
        ["cpu-01", "cpu-02", "cpu-03", "cpu-04"].iter().map(|name| node(name, "default", networks)).collect();
    nodes.push(node("n5", "dgx-h100", networks));
    nodes.push(InventoryNode { template: true, ..node("template", "default", networks) });
    nodes.push(InventoryNode { kind: NodeKind::Head, ..node("head", "default", networks) });
    Inventory {
        schema: SCHEMA,
        source: "bcm https://bcm:8081".to_owned(),
        nodes,
        networks: vec![
            network("prod", "10.1.0.0/24"),
            network("second", "10.2.0.0/24"),
            network("oob", "10.9.0.0/24"),
            network("pods", "172.29.0.0/16"),
        ],
        categories: vec![Category { name: "default".to_owned(), uuid: String::new() }],
        overlays: Observed::Unknown("not asked".to_owned()),
    }
}

#[test]
fn nodes_and_networks_of_an_inventory_are_filled_in() {
    let text = from_inventory(&inventory(&["prod"]), &InitAnswers::named("north"));
    let site = accepted(&text);
    let shown = format!("{:?}", site.nodes);
    for name in ["cpu-01", "cpu-02", "cpu-03", "n5"] {
        assert!(shown.contains(name), "{name}: {shown}");
    }
    assert!(!shown.contains("cpu-04") && !shown.contains("template") && !shown.contains("head"), "{shown}");
    assert_eq!(format!("{:?}", site.networks.production), "Cidr(10.1.0.0/24)");
    assert_eq!(format!("{:?}", site.networks.forbidden), "[10.9.0.0/24]");
    assert!(text.contains("Nodes without a guessed role: cpu-04"), "{text}");
    assert!(!text.contains("ambiguous"), "{text}");
}

#[test]
fn an_ambiguous_production_network_is_marked() {
    let text = from_inventory(&inventory(&["prod", "second"]), &InitAnswers::named("north"));
    assert!(text.contains("TODO ambiguous: prod, or 10.2.0.0/24 (second)"), "{text}");
    accepted(&text);
    let empty = Inventory { nodes: Vec::new(), ..inventory(&[]) };
    accepted(&from_inventory(&empty, &InitAnswers::named("north")));
}
