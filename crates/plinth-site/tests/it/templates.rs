//! What `init` writes is valid.

use plinth_model::Observed;
use plinth_model::inventory::{
    Category, Interface, InterfaceKind, Inventory, InventoryNode, Network, NodeKind, SCHEMA,
};
use plinth_site::desired::{InventorySource, TlsTrust};
use plinth_site::template::{InitAnswers, from_inventory, init};

/// The site of a template in which somebody filled everything in.
fn accepted(text: &str) -> plinth_site::Desired {
    let text = text.replace("# TODO", "# was");
    crate::read(&text).map(|site| site.desired).unwrap_or_else(|rejected| {
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

#[test]
fn an_untouched_template_is_refused_with_a_finding_for_each_mark() {
    for endpoint in [None, Some("https://bcm:8081".to_owned())] {
        let text = init(&InitAnswers { endpoint, ..InitAnswers::named("north") });
        let rejected = crate::read(&text).unwrap_err();
        let marks = rejected.findings.iter().filter(|finding| finding.code == "site.todo").count();
        assert_eq!(marks, text.matches("# TODO").count(), "{text}");
        assert!(marks >= 7 && rejected.findings.len() == marks, "{:?}", rejected.findings);
    }
}

#[test]
fn editors_find_the_schema_beside_the_file() {
    let text = init(&InitAnswers::named("north"));
    assert_eq!(text.lines().next(), Some("# yaml-language-server: $schema=plinth.schema.json"));
}

#[test]
fn the_template_does_not_warn_about_itself() {
    let text = init(&InitAnswers::named("north")).replace("# TODO", "# was");
    let site = crate::read(&text).unwrap();
    assert_eq!(site.desired.runai.as_ref().unwrap().port, 443);
    assert_eq!(site.findings, []);
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
    assert!(text.contains("# Left out, more than the control plane needs: cpu-04\n"), "{text}");
    assert!(!text.contains("TODO"), "a file that BCM filled in is ready for `discover`: {text}");
}

#[test]
fn trust_in_bcm_is_written_as_it_was_given() {
    let tls = |answers: InitAnswers| {
        let text = init(&answers);
        match accepted(&text).inventory {
            InventorySource::Bcm(access) => (access.tls, text.contains("\n    tls:")),
            other => panic!("{other:?}"),
        }
    };
    let named = || InitAnswers::named("north");
    let file = "certs/it's \"mine\": ca.pem";
    let ca = InitAnswers { ca_file: Some(file.to_owned()), ..named() };
    assert_eq!(tls(ca), (TlsTrust::CaFile(file.to_owned()), true));
    assert_eq!(tls(InitAnswers { insecure: true, ..named() }), (TlsTrust::Insecure, true));
    assert_eq!(tls(named()), (TlsTrust::System, false));
}

#[test]
fn networks_of_management_controllers_are_forbidden_unless_they_are_production() {
    let with_machines = from_inventory(&inventory(&["prod", "oob"]), &InitAnswers::named("north"));
    assert_eq!(format!("{:?}", accepted(&with_machines).networks.forbidden), "[10.9.0.0/24]");
    let mut by_address = inventory(&["prod"]);
    for interface in by_address.nodes.iter_mut().flat_map(|node| &mut node.interfaces) {
        if interface.kind == InterfaceKind::Bmc {
            (interface.network, interface.address) = (None, "10.2.0.7".to_owned());
        }
    }
    let site = accepted(&from_inventory(&by_address, &InitAnswers::named("north")));
    assert_eq!(format!("{:?}", site.networks.forbidden), "[10.2.0.0/24]");
    let mut shared = inventory(&["prod"]);
    for interface in shared.nodes.iter_mut().flat_map(|node| &mut node.interfaces) {
        interface.network = Some("prod".to_owned());
    }
    let site = accepted(&from_inventory(&shared, &InitAnswers::named("north")));
    assert_eq!(format!("{:?}", site.networks.production), "Cidr(10.1.0.0/24)");
    assert!(site.networks.forbidden.is_empty(), "{:?}", site.networks.forbidden);
}

#[test]
fn nodes_without_an_own_production_address_get_no_role() {
    let change: [fn(&mut Interface); 4] = [
        |interface| interface.dhcp = true,
        |interface| interface.start = "ACTIVE".to_owned(),
        |interface| interface.kind = InterfaceKind::Alias,
        |interface| interface.kind = InterfaceKind::Bmc,
    ];
    for change in change {
        let mut changed = inventory(&["prod"]);
        changed.nodes.iter_mut().filter(|n| n.name == "n5").flat_map(|n| &mut n.interfaces).for_each(change);
        let text = from_inventory(&changed, &InitAnswers::named("north"));
        let nodes = format!("{:?}", accepted(&text).nodes);
        assert!(!nodes.contains("n5") && !nodes.contains("dgx"), "{nodes}");
        let reason = text.lines().find(|line| line.starts_with("# Left out, only addresses of a BMC"));
        assert!(reason.is_some_and(|line| line.ends_with(": n5")), "{text}");
        assert!(text.contains("workers: [cpu-04] # TODO NO WORKER COULD BE GUESSED"), "{text}");
    }
    let mut elsewhere = inventory(&["prod"]);
    elsewhere.nodes[4].interfaces[0].address = "0.0.0.0".to_owned();
    elsewhere.nodes[4].interfaces[1].address = "10.9.0.5".to_owned();
    let text = from_inventory(&elsewhere, &InitAnswers::named("north"));
    assert!(text.contains("# Left out, no address in the production network: n5\n"), "{text}");
    assert!(text.contains("# Left out, head nodes: head\n"), "{text}");
}

/// Twelve DGX and five others, in no order.
fn rack() -> Inventory {
    let mut rack = inventory(&["prod"]);
    rack.nodes.clear();
    for number in [3, 12, 1, 10, 2, 11, 4, 5, 9, 6, 8, 7] {
        rack.nodes.push(node(&format!("dgx-{number}"), "dgx-h100", &["prod"]));
    }
    for number in [4, 2, 10, 1, 3] {
        rack.nodes.push(node(&format!("cp-{number}"), "control", &["prod"]));
    }
    rack
}

#[test]
fn roles_are_selectors_where_one_means_exactly_these_nodes_else_sorted_names() {
    let text = from_inventory(&rack(), &InitAnswers::named("north"));
    assert!(text.contains("controlPlane: [cp-1, cp-2, cp-3] # the first 3 of 5 without GPUs"), "{text}");
    assert!(text.contains("workers: [{category: \"dgx-h100\"}] # 12 nodes, guessed"), "{text}");
    assert!(text.contains("gpu: [\"*\"]"), "{text}");
    assert!(text.contains("# Left out, more than the control plane needs: cp-4, cp-10\n"), "{text}");
    accepted(&text);

    let mut mixed = rack();
    mixed
        .nodes
        .push(InventoryNode { kind: NodeKind::Other("LiteNode".to_owned()), ..node("lite-1", "dgx-h100", &["prod"]) });
    let text = from_inventory(&mixed, &InitAnswers::named("north"));
    assert!(text.contains("workers: [\"dgx-*\"] # 12 nodes, guessed"), "{text}");
    assert!(text.contains("# Left out, not physical nodes but LiteNode: lite-1\n"), "{text}");

    let refused = [("dgx-7".to_owned(), "claimed by dgx-7, old-7".to_owned())].into();
    let text = from_inventory(&rack(), &InitAnswers { refused, ..InitAnswers::named("north") });
    assert!(
        text.contains("dgx-1, dgx-2, dgx-3,") && text.contains("dgx-6, dgx-8,") && text.contains("dgx-12\n"),
        "{text}"
    );
    assert!(text.contains("# Left out, claimed by dgx-7, old-7: dgx-7\n"), "{text}");
    assert!(text.lines().all(|line| line.len() < 140), "{text}");
    assert_eq!(accepted(&text).nodes.workers.len(), 11);
}

#[test]
fn ranges_are_chosen_where_nobody_is() {
    let mut taken = inventory(&["prod"]);
    taken.networks.push(network("services", "10.150.0.0/20"));
    let text = from_inventory(&taken, &InitAnswers::named("north"));
    assert!(text.contains("pods: 172.29.0.0/16, services: 172.30.0.0/16"), "{text}");
}

#[test]
fn no_node_is_made_up() {
    let mut only_one = inventory(&["prod"]);
    only_one.nodes.retain(|node| node.name == "cpu-02");
    let text = from_inventory(&only_one, &InitAnswers::named("north"));
    let site = accepted(&text);
    assert!(site.nodes.workers.is_empty() && site.nodes.gpu.is_empty(), "{text}");
    assert!(text.contains("controlPlane: [cpu-02] # guessed"), "{text}");
    assert!(text.contains("TODO NO WORKER COULD BE GUESSED"), "{text}");
    let unreachable = Inventory { networks: Vec::new(), ..inventory(&["prod"]) };
    let text = from_inventory(&unreachable, &InitAnswers::named("north"));
    accepted(&text);
    assert!(text.contains("controlPlane: [cpu-01] # TODO NO CONTROL PLANE COULD BE GUESSED"), "{text}");
    let empty = Inventory { nodes: Vec::new(), ..inventory(&[]) };
    let text = from_inventory(&empty, &InitAnswers::named("north"));
    accepted(&text);
    assert!(text.contains("TODO THERE IS NO SUCH NODE"), "{text}");
}

#[test]
fn an_ambiguous_production_network_is_marked() {
    let text = from_inventory(&inventory(&["prod", "second"]), &InitAnswers::named("north"));
    assert!(text.contains("prod: most machines can be reached there; or 10.2.0.0/24 (second)"), "{text}");
    accepted(&text);
    let empty = Inventory { nodes: Vec::new(), ..inventory(&[]) };
    accepted(&from_inventory(&empty, &InitAnswers::named("north")));
}
