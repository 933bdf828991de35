use crate::fixture::{codes, inventory as data, site};
use plinth_model::inventory::{InterfaceKind, Inventory};
use plinth_model::{Finding, NodeName, Severity};
use plinth_plan::{AddressSource, DiscoverReport, DiscoveredNode, Discovery, Role, discover, static_inventory};
use plinth_site::Desired;
use plinth_site::desired::{InventorySource, NodeOverride, ProductionNetwork, Selector, StaticNode};

fn node<'a>(discovery: &'a Discovery, name: &str) -> &'a DiscoveredNode {
    discovery.nodes.iter().find(|n| n.name == name).unwrap()
}

fn address(discovery: &Discovery, name: &str) -> Option<String> {
    node(discovery, name).address.map(|a| a.to_string())
}

fn errors(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().filter(|f| f.is_error()).map(|f| (f.code.as_str(), f.subject.as_str())).collect()
}

/// The basepod site with one more worker.
fn with_worker(name: &str) -> Desired {
    let mut desired = site::basepod();
    desired.nodes.workers.push(site::name(name));
    desired
}

fn overridden(name: &str, address: &str) -> Desired {
    let mut desired = site::basepod();
    let address = Some(address.parse().unwrap());
    desired.nodes.overrides.insert(NodeName::new(name).unwrap(), NodeOverride { address, ..NodeOverride::default() });
    desired
}

#[test]
fn every_node_of_the_example_gets_its_production_address() {
    let discovery = discover(&site::basepod(), &data::basepod());
    let wanted = [
        ("bcm-head-01", Some("10.184.162.100")),
        ("cpu-03", Some("10.184.162.102")),
        ("cpu-05", Some("10.184.162.104")),
        ("cpu-06", Some("10.184.162.121")),
        ("dgx-05", Some("10.184.162.109")),
        ("dgx-06", Some("10.184.162.110")),
        ("cpu-09", Some("10.184.162.130")),
        ("dgx-07", None),
        ("dgx-08", None),
    ];
    for (name, wanted) in wanted {
        assert_eq!(address(&discovery, name).as_deref(), wanted, "{name}");
    }
    assert_eq!(errors(&discovery.findings), []);
    assert_eq!(codes(&discovery.findings), ["bcm.address-none-safe", "bcm.address-none-safe"]);
    assert!(discovery.findings.iter().all(|f| f.severity == Severity::Info));
}

#[test]
fn a_machine_that_differs_in_case_only_is_named() {
    let told = |change: &dyn Fn(&mut Desired, &mut Inventory)| {
        let (mut desired, mut inventory) = (site::basepod(), data::basepod());
        change(&mut desired, &mut inventory);
        let findings = discover(&desired, &inventory).findings;
        let found = findings.into_iter().filter(|finding| finding.code == "nodes.other-case");
        found.map(|finding| format!("{}: {}; {}", finding.subject, finding.message, finding.fix)).collect::<Vec<_>>()
    };
    let rename = |inventory: &mut Inventory, from: &str, to: &str| {
        inventory.nodes.iter_mut().find(|node| node.name == from).unwrap().name = to.to_owned();
    };
    let by_glob = told(&|desired, inventory| {
        desired.nodes.workers = vec![Selector::Glob("dgx-0[56]".into()), Selector::Glob("d*".into())];
        rename(inventory, "dgx-06", "DGX-06");
    });
    assert_eq!(by_glob.len(), 1, "{by_glob:?}");
    assert!(by_glob[0].starts_with("nodes.workers[0]: `dgx-0[56]` leaves out DGX-06: it differs"), "{by_glob:?}");
    assert!(by_glob[0].contains("to `dgx-06`"), "{by_glob:?}");
    let by_category = told(&|desired, inventory| {
        desired.nodes.workers = vec![Selector::Category("dgx".into())];
        for (name, category) in [("dgx-05", "dgx"), ("dgx-06", "DGX")] {
            inventory.nodes.iter_mut().find(|node| node.name == name).unwrap().category = Some(category.to_owned());
        }
    });
    assert_eq!(by_category.len(), 1, "{by_category:?}");
    assert!(
        by_category[0].contains("leaves out dgx-06") && by_category[0].contains("`{category: DGX}`"),
        "{by_category:?}"
    );
    let gpu = told(&|desired, inventory| {
        desired.nodes.gpu = vec![Selector::Category("dgx".into())];
        for (name, category) in [("dgx-05", "dgx"), ("dgx-06", "DGX")] {
            inventory.nodes.iter_mut().find(|node| node.name == name).unwrap().category = Some(category.to_owned());
        }
    });
    assert!(gpu.len() == 1 && gpu[0].starts_with("nodes.gpu[0]"), "a worker whose GPUs would be forgotten: {gpu:?}");
    let both = told(&|desired, inventory| {
        desired.nodes.workers = vec![Selector::Glob("dgx-0[56]".into())];
        desired.nodes.exclude = vec![Selector::Glob("?GX-06".into())];
        rename(inventory, "dgx-06", "DGX-06");
    });
    assert_eq!(both, Vec::<String>::new(), "what is excluded is not missing");
    assert_eq!(told(&|_, _| ()), Vec::<String>::new());
}

#[test]
fn roles_come_from_the_site_file_and_head_nodes_are_never_members() {
    let discovery = discover(&site::basepod(), &data::basepod());
    assert_eq!(node(&discovery, "bcm-head-01").roles, [Role::Head]);
    assert_eq!(node(&discovery, "cpu-03").roles, [Role::ControlPlane, Role::Etcd, Role::System]);
    assert_eq!(node(&discovery, "dgx-05").roles, [Role::Worker, Role::Gpu]);
    assert_eq!(node(&discovery, "dgx-07").roles, []);
    assert!(node(&discovery, "dgx-05").gpu && !node(&discovery, "dgx-07").gpu);
}

#[test]
fn a_trap_in_the_cluster_is_refused_with_every_interface_and_why() {
    let discovery = discover(&with_worker("dgx-08"), &data::basepod());
    assert_eq!(errors(&discovery.findings), [("bcm.address-none-safe", "dgx-08")]);
    let finding = discovery.findings.iter().find(|f| f.is_error()).unwrap();
    assert_eq!(
        finding.evidence,
        [
            "BOOTIF (physical) 10.229.10.138 on ipminet: 10.229.10.0/24 is forbidden",
            "ipmi0 (BMC) 10.229.10.38 on ipminet: a BMC's address is never the machine's own",
        ]
    );
    let discovery = discover(&with_worker("dgx-07"), &data::basepod());
    let finding = discovery.findings.iter().find(|f| f.is_error()).unwrap();
    assert!(finding.evidence[0].contains("DHCP"), "{:?}", finding.evidence);
}

#[test]
fn the_order_of_nodes_and_interfaces_has_no_meaning() {
    let mut turned = data::basepod();
    turned.nodes.reverse();
    turned.nodes.iter_mut().for_each(|n| n.interfaces.reverse());
    let (a, b) = (discover(&site::basepod(), &data::basepod()), discover(&site::basepod(), &turned));
    assert_eq!(a.nodes, b.nodes);
    assert_eq!(a.findings, b.findings);
    assert_eq!(plinth_plan::inventory_digest(&data::basepod()), plinth_plan::inventory_digest(&turned));
}

#[test]
fn an_override_wins_but_is_checked_and_never_replaced() {
    let discovery = discover(&overridden("dgx-05", "10.184.162.77"), &data::basepod());
    assert_eq!(address(&discovery, "dgx-05").as_deref(), Some("10.184.162.77"));
    assert_eq!(node(&discovery, "dgx-05").address_source, Some(AddressSource::Override));
    for (given, code) in [
        ("10.229.10.35", "nodes.address-forbidden"),
        ("10.184.163.7", "nodes.address-outside-production"),
        ("10.184.162.255", "nodes.address-not-usable"),
        ("169.254.3.4", "nodes.address-not-usable"),
        ("10.184.162.1", "bcm.address-is-gateway"),
        ("10.184.162.102", "nodes.address-duplicate"),
    ] {
        let discovery = discover(&overridden("dgx-05", given), &data::basepod());
        assert_eq!(errors(&discovery.findings).first().map(|e| e.0), Some(code), "{given}");
        assert_eq!(address(&discovery, "dgx-05"), None, "{given}");
    }
}

#[test]
fn captured_nodes_with_the_gateways_address_or_the_wrong_network() {
    let mut desired = site::basepod();
    desired.networks.production = ProductionNetwork::Name("managementnet".into());
    desired.networks.forbidden.clear();
    desired.nodes.control_plane = site::names(&["node002"]);
    desired.nodes.workers = site::names(&["node001"]);
    desired.nodes.gpu.clear();
    let discovery = discover(&desired, &data::captured());
    let wanted = [("bcm.address-none-safe", "node001"), ("bcm.address-is-gateway", "node002")];
    assert_eq!(errors(&discovery.findings), wanted);
    assert_eq!(address(&discovery, "bcm11-headnode").as_deref(), Some("172.21.15.254"));
    assert_eq!(address(&discovery, "node002"), None);
    desired.networks.production = ProductionNetwork::Cidr("10.141.0.0/16".parse().unwrap());
    let discovery = discover(&desired, &data::captured());
    assert_eq!(address(&discovery, "node001").as_deref(), Some("10.141.0.1"));
}

#[test]
fn an_address_inside_the_dhcp_pool_is_a_warning() {
    let mut inventory = data::basepod();
    let pool = ("10.184.162.105".parse().unwrap(), "10.184.162.109".parse().unwrap());
    inventory.networks[0].dhcp_pool = Some(pool);
    let discovery = discover(&site::basepod(), &inventory);
    let found: Vec<&Finding> = discovery.findings.iter().filter(|f| f.code == "bcm.address-in-dhcp-pool").collect();
    assert_eq!(found.iter().map(|f| f.subject.as_str()).collect::<Vec<_>>(), ["dgx-05"]);
    assert_eq!(address(&discovery, "dgx-05").as_deref(), Some("10.184.162.109"));
}

#[test]
fn an_address_on_a_network_that_cannot_hold_it_is_reported_and_not_used() {
    for (network, says) in [("storagenet", "cannot hold it"), ("nowhere", "is not listed"), ("", "on no network")] {
        let mut inventory = data::basepod();
        let bond = inventory.nodes[4].interfaces.iter_mut().find(|i| i.name == "bond0").unwrap();
        bond.network = (!network.is_empty()).then(|| network.into());
        let discovery = discover(&site::basepod(), &inventory);
        assert_eq!(errors(&discovery.findings), [("bcm.address-none-safe", "dgx-05")]);
        let mismatch = discovery.findings.iter().find(|f| f.code == "bcm.network-mismatch").unwrap();
        assert!(mismatch.message.contains(says), "{}", mismatch.message);
    }
}

#[test]
fn bond_before_bridge_before_vlan_before_physical_then_priority_then_name_and_an_alias_never() {
    let at = |name: &str, kind, last: u8| data::interface(name, kind, &format!("10.184.162.{last}"), "dgxnet");
    let mut candidates = vec![
        at("eth9:0", InterfaceKind::Alias, 201),
        at("eth1", InterfaceKind::Physical, 202),
        at("eth0", InterfaceKind::Physical, 203),
        at("bond1.7", InterfaceKind::Vlan, 204),
        at("br0", InterfaceKind::Bridge, 205),
        at("bond1", InterfaceKind::Bond, 206),
    ];
    candidates[1].priority = 70;
    let mut order = Vec::new();
    while candidates.len() > 1 {
        let mut inventory = data::basepod();
        inventory.nodes[4].interfaces.clone_from(&candidates);
        let discovery = discover(&site::basepod(), &inventory);
        let Some(AddressSource::Interface(best)) = node(&discovery, "dgx-05").address_source.clone() else { panic!() };
        candidates.retain(|i| i.name != best);
        order.push(best);
    }
    assert_eq!(order, ["bond1", "br0", "bond1.7", "eth1", "eth0"]);
    let mut only_an_alias = data::basepod();
    only_an_alias.nodes[4].interfaces = candidates;
    let discovery = discover(&site::basepod(), &only_an_alias);
    assert_eq!(address(&discovery, "dgx-05"), None, "an alias is never the machine's own");
    assert!(discovery.findings.iter().any(|f| f.code == "bcm.address-none-safe" && f.is_error()));
}

#[test]
fn when_only_the_name_decides_it_is_said() {
    let mut inventory = data::basepod();
    let second = data::interface("bond1", InterfaceKind::Bond, "10.184.162.200", "dgxnet");
    inventory.nodes[4].interfaces.insert(0, second);
    let discovery = discover(&site::basepod(), &inventory);
    assert_eq!(address(&discovery, "dgx-05").as_deref(), Some("10.184.162.109"));
    let note = discovery.findings.iter().find(|f| f.code == "bcm.address-by-name").unwrap();
    assert_eq!(note.message, "bond0 was taken before bond1 only because of its name");
    assert_eq!(note.evidence.len(), 2);
}

#[test]
fn selectors_that_match_nothing_are_errors_with_the_nearest_names() {
    let cases = [
        (site::name("dgx-5"), "nodes.no-match", "dgx-05"),
        (Selector::Glob("gdx-*".into()), "nodes.no-match", "dgx-"),
        (Selector::Category("dgx-h10".into()), "nodes.no-match", "dgx-h100"),
        (site::name("bcm-head-01"), "nodes.not-a-target", "never touched"),
        (Selector::Glob("[".into()), "nodes.bad-glob", "glob"),
    ];
    for (selector, code, hint) in cases {
        let mut desired = site::basepod();
        desired.nodes.workers.push(selector.clone());
        let discovery = discover(&desired, &data::basepod());
        let finding = discovery.findings.iter().find(|f| f.is_error()).unwrap();
        assert_eq!((finding.code.as_str(), finding.subject.as_str()), (code, "nodes.workers[2]"), "{selector:?}");
        assert!(finding.fix.contains(hint), "{}", finding.fix);
    }
}

#[test]
fn globs_and_categories_select_by_name_order_and_templates_never() {
    let mut inventory = data::basepod();
    inventory.nodes.reverse();
    let template = inventory.nodes.iter_mut().find(|n| n.name == "cpu-09").unwrap();
    template.template = true;
    let mut desired = site::basepod();
    desired.nodes.control_plane = vec![Selector::Category("k8s-control".into())];
    let discovery = discover(&desired, &inventory);
    let names: Vec<&str> = discovery.members.control_plane.iter().map(|&i| discovery.nodes[i].name.as_str()).collect();
    assert_eq!(names, ["cpu-03", "cpu-05", "cpu-06"]);
    assert_eq!(node(&discovery, "cpu-09").address, None);
}

#[test]
fn counts_and_roles_are_checked_after_selection() {
    let changed = |change: &dyn Fn(&mut Desired)| {
        let mut desired = site::basepod();
        change(&mut desired);
        let discovery = discover(&desired, &data::basepod());
        discovery.findings.iter().filter(|f| f.is_error()).map(|f| f.code).collect::<Vec<_>>()
    };
    assert_eq!(changed(&|d| drop(d.nodes.control_plane.pop())), ["site.even-etcd"]);
    assert_eq!(changed(&|d| d.nodes.control_plane.clear()), ["nodes.no-control-plane"]);
    assert_eq!(changed(&|d| d.nodes.etcd = Some(site::names(&["cpu-03", "cpu-09"]))), ["site.even-etcd"]);
    assert_eq!(changed(&|d| d.nodes.workers.push(site::name("cpu-03"))), ["nodes.two-roles"]);
    assert_eq!(changed(&|d| d.nodes.gpu = site::names(&["dgx-07"])), ["nodes.no-match"]);
    assert_eq!(changed(&|d| d.nodes.system = site::names(&["cpu-09"])), ["nodes.no-match"]);
    assert_eq!(
        changed(&|d| d.networks.production = ProductionNetwork::Name("dgxnett".into()))[0],
        "bcm.network-unknown"
    );
    assert_eq!(changed(&|d| d.kubernetes.pods = Some("10.184.0.0/16".parse().unwrap())), ["kubernetes.range-in-use"]);
}

#[test]
fn a_static_inventory_gives_addresses_that_are_still_checked() {
    let at = |name: &str, address: &str| StaticNode {
        name: NodeName::new(name).unwrap(),
        address: address.parse().unwrap(),
        category: "dgx".into(),
    };
    let nodes = vec![at("a", "10.184.162.7"), at("b", "10.184.162.8"), at("c", "10.229.10.9")];
    let mut desired = site::basepod();
    desired.inventory = InventorySource::Static(nodes.clone());
    desired.nodes.control_plane = site::names(&["a"]);
    desired.nodes.workers = vec![Selector::Category("dgx".into())];
    desired.nodes.workers = site::names(&["b", "c"]);
    desired.nodes.gpu = site::names(&["b"]);
    let discovery = discover(&desired, &static_inventory(&nodes));
    assert_eq!(errors(&discovery.findings), [("nodes.address-forbidden", "c")]);
    assert_eq!(node(&discovery, "a").address_source, Some(AddressSource::Given));
}

#[test]
fn the_json_report_has_the_agreed_fields() {
    let discovery = discover(&site::basepod(), &data::basepod());
    let report = serde_json::to_value(DiscoverReport::from(&discovery)).unwrap();
    let first = &report["nodes"][1];
    for field in ["name", "type", "category", "address", "addressSource", "network", "roles"] {
        assert!(first.get(field).is_some(), "{field}");
    }
    assert_eq!(first["type"], "physical");
    assert_eq!(first["addressSource"], "interface");
    assert_eq!(first["roles"][0], "control-plane");
    let trap = report["nodes"].as_array().unwrap().iter().find(|n| n["name"] == "dgx-07").unwrap();
    assert!(trap["address"].is_null() && trap["addressSource"].is_null());
    let production: Vec<&serde_json::Value> =
        report["networks"].as_array().unwrap().iter().filter(|n| n["production"] == true).collect();
    assert_eq!(production.len(), 1);
    assert_eq!(production[0]["name"], "dgxnet");
}

#[test]
fn machines_with_one_name_are_an_error() {
    let mut inventory: Inventory = data::basepod();
    let again = inventory.nodes[4].clone();
    inventory.nodes.push(again);
    let discovery = discover(&site::basepod(), &inventory);
    assert!(codes(&discovery.findings).contains(&"nodes.listed-twice"));
}
