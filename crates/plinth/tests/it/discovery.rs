//! `discover` and `plan` with the real BCM client, over TLS, against a simulated BCM fed with the captures.

use crate::support::{BCM_PASSWORD, BCM_USER, BcmSite, SECRETS, plinth_with};
use plinth_sim::bcm::{BcmFault, BcmFaultKind, BcmFixture, ReplyShape};
use serde_json::{Value, json};

fn node<'a>(report: &'a Value, name: &str) -> &'a Value {
    let nodes = report["nodes"].as_array().unwrap();
    nodes.iter().find(|n| n["name"] == name).unwrap_or_else(|| panic!("no node {name} in {report:#}"))
}

#[test]
fn every_node_of_the_basepod_gets_its_production_address() {
    let report = BcmSite::basepod(|s| s).plinth(&["discover", "--json"]).exits(0).json();
    let wanted = [
        ("bcm-head-01", "10.184.162.100"),
        ("cpu-03", "10.184.162.102"),
        ("cpu-05", "10.184.162.104"),
        ("cpu-06", "10.184.162.121"),
        ("dgx-05", "10.184.162.109"),
        ("dgx-06", "10.184.162.110"),
        ("cpu-09", "10.184.162.130"),
    ];
    for (name, address) in wanted {
        assert_eq!(node(&report, name)["address"], json!(address), "{name}");
        assert_eq!(node(&report, name)["network"], json!("dgxnet"), "{name}");
    }
    for trap in ["dgx-07", "dgx-08"] {
        assert_eq!(node(&report, trap)["address"], Value::Null, "{trap} has no safe address");
    }
}

#[test]
fn a_trap_that_is_selected_is_refused_with_everything_that_was_seen() {
    for (trap, reason) in [("dgx-07", "DHCP"), ("dgx-08", "10.229.10.138")] {
        let site = BcmSite::basepod(|s| s.replace("workers: [dgx-05, dgx-06]", &format!("workers: [dgx-05, {trap}]")));
        for verb in [&["discover"][..], &["plan"][..]] {
            let ran = site.plinth(verb).exits(1).says(trap).says("ipmi0");
            assert!(ran.stderr.to_lowercase().contains(&reason.to_lowercase()), "{reason}:\n{}", ran.stderr);
        }
        let report = site.plinth(&["discover", "--json"]).exits(1).json();
        let codes: Vec<&str> =
            report["findings"].as_array().unwrap().iter().filter_map(|f| f["code"].as_str()).collect();
        assert!(codes.contains(&"bcm.address-none-safe"), "{codes:?}");
    }
}

#[test]
fn the_three_captured_devices_get_their_addresses_by_network_name() {
    let edit = |network: &'static str, node: &'static str| {
        move |site: String| {
            site.replace("production: 10.184.162.0/24", &format!("production: {network}"))
                .replace("controlPlane: [cpu-03, cpu-05, cpu-06]", &format!("controlPlane: [{node}]"))
                .replace("workers: [dgx-05, dgx-06]", "workers: []")
                .replace("gpu: [dgx-*]", "gpu: []")
        }
    };
    let captured = || BcmFixture::captured().unwrap();
    let site = BcmSite::start(captured(), vec![], edit("internalnet", "node001"));
    let report = site.plinth(&["discover", "--json"]).exits(1).json();
    let codes: Vec<&str> = report["findings"].as_array().unwrap().iter().filter_map(|f| f["code"].as_str()).collect();
    assert!(codes.contains(&"nodes.no-workers"), "a cluster needs workers, and the captures have one node a network");
    assert_eq!(node(&report, "node001")["address"], json!("10.141.0.1"));
    assert_eq!(node(&report, "node002")["address"], Value::Null, "it is on the other network");
    let site = BcmSite::start(captured(), vec![], edit("managementnet", "node002"));
    let ran = site.plinth(&["discover", "--json"]).exits(1);
    let report = ran.json();
    assert_eq!(node(&report, "bcm11-headnode")["address"], json!("172.21.15.254"));
    let text = report["findings"].to_string();
    assert!(text.contains("gateway"), "the capture records node002 at the gateway's address: {text}");
}

#[test]
fn a_saved_inventory_serves_without_bcm() {
    let site = BcmSite::basepod(|s| s);
    site.plinth(&["discover", "--save", "inventory.json"]).exits(0);
    let live = site.plinth(&["plan", "--json"]).exits(0).json();
    let recorded =
        plinth_with(site.folder.path(), &[], &["plan", "--json", "--inventory", "inventory.json"]).exits(0).json();
    assert_eq!(live["hash"], recorded["hash"], "a recorded inventory says the same as the live one");
}

#[test]
fn missing_variables_are_named_all_at_once_before_any_contact() {
    let site = BcmSite::basepod(|s| s);
    let ran = plinth_with(site.folder.path(), &[], &["discover"]).exits(1);
    assert!(ran.stderr.contains("BCM_USERNAME") && ran.stderr.contains("BCM_PASSWORD"), "{}", ran.stderr);
    assert_eq!(site.bcm.served().len(), 0, "BCM was contacted");
}

#[test]
fn a_bcm_in_trouble_is_asked_again_and_a_dead_one_is_a_verdict() {
    let trouble = vec![BcmFault::once(BcmFaultKind::Status(503))];
    let site = BcmSite::start(BcmFixture::basepod().unwrap(), trouble, |s| s);
    site.plinth(&["discover"]).exits(0);
    let BcmSite { bcm, folder } = BcmSite::basepod(|s| s);
    drop(bcm);
    let ran = plinth_with(folder.path(), &SECRETS, &["discover"]).exits(6).says("https://127.0.0.1");
    assert!(ran.stderr.contains("try:"), "{}", ran.stderr);
}

#[test]
fn an_unreadable_ca_file_is_one_clear_message() {
    let site = BcmSite::basepod(|s| s.replace("bcm-ca.pem", "no-such-ca.pem"));
    site.plinth(&["discover"]).exits(1).says("no-such-ca.pem");
    assert_eq!(site.bcm.served().len(), 0);
}

#[test]
fn a_file_that_is_no_ca_is_wrong_input_and_contacts_nobody() {
    let site = BcmSite::basepod(|s| s);
    std::fs::write(site.folder.path().join("bcm-ca.pem"), "no certificate").unwrap();
    for verb in ["discover", "plan"] {
        site.plinth(&[verb]).exits(1).says("the CA file holds no certificate");
    }
    assert!(site.bcm.served().is_empty());
}

#[test]
fn what_bcm_repeats_of_the_login_is_not_printed() {
    let body = json!({"error": format!("{BCM_USER} may not log in with {BCM_PASSWORD}")});
    let shape = ReplyShape { name: "echo".to_owned(), http_status: 200, body, content_type: None, set_cookie: None };
    let fault = BcmFault::always(BcmFaultKind::Reply(shape)).on("login");
    let site = BcmSite::start(BcmFixture::basepod().unwrap(), vec![fault], |s| s);
    for verb in ["discover", "plan"] {
        let ran = site.plinth(&[verb]).exits(1).says("may not log in");
        assert!(!ran.stderr.contains(BCM_USER) && !ran.stderr.contains(BCM_PASSWORD), "{}", ran.stderr);
    }
}
