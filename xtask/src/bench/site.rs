//! A made-up site of any size: a site file, and inventories as `plinth discover --save` keeps them.

use crate::commands::Failure;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::Path;

/// Values for the secrets that the site file names.
pub(super) const SECRETS: [(&str, &str); 5] = [
    ("BCM_USERNAME", "bench"),
    ("BCM_PASSWORD", "bench-bcm"),
    ("BOOTSTRAP_PASSWORD", "bench-bootstrap"),
    ("RUNAI_REGISTRY_TOKEN", "bench-token"),
    ("RUNAI_ADMIN_PASSWORD", "bench-admin"),
];

const SITE: &str = r#"apiVersion: plinth/v1
kind: Site
metadata: {name: made-up}
inventory:
  bcm: {endpoint: "https://bcm-head-01:8081", username: {env: BCM_USERNAME}, password: {env: BCM_PASSWORD}}
networks: {production: 10.0.0.0/8}
nodes:
  controlPlane: [cpu-00000, cpu-00001, cpu-00002]
  workers: [{category: dgx}]
  gpu: [dgx-*]
access:
  bootstrap: {user: admin, password: {env: BOOTSTRAP_PASSWORD}}
  account: {name: plinth, uid: 60000, gid: 60000}
kubernetes:
  engine: kubespray
  version: v1.31.9
  network: {plugin: calico, pods: 100.64.0.0/10, services: 172.30.0.0/16}
platform:
  ingress: {http: 30080, https: 30443}
runai:
  version: "2.21"
  domain: runai.example.com
  registry: {token: {env: RUNAI_REGISTRY_TOKEN}}
  admin: {email: admin@example.com, password: {env: RUNAI_ADMIN_PASSWORD}}
  cluster: {name: made-up}
"#;

/// Writes `site.yaml`, and `N.json` for each size.
pub(super) fn write(folder: &Path, sizes: &[u32]) -> Result<(), Failure> {
    put(&folder.join("site.yaml"), SITE)?;
    sizes.iter().try_for_each(|size| put(&folder.join(format!("{size}.json")), &inventory(*size).to_string()))
}

fn put(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| format!("writing {}: {error}", file.display()))
}

/// Three control-plane nodes, the rest DGX; every node with the interfaces that a BCM lists.
fn inventory(nodes: u32) -> Value {
    let category = |name: &str| json!({"name": name, "uuid": ""});
    json!({
        "schema": 1,
        "source": "made up",
        "nodes": (0..nodes).map(node).collect::<Vec<_>>(),
        "networks": [network("production", "10.0.0.0/8"), network("oob", "192.168.0.0/16")],
        "categories": [category("cpu"), category("dgx")],
        "overlays": {"seen": "absent"},
    })
}

fn node(number: u32) -> Value {
    let kind = if number < 3 { "cpu" } else { "dgx" };
    // Leaves the first 256 addresses to the network itself.
    let in_network = |network: Ipv4Addr| Ipv4Addr::from(u32::from(network) + number + 256);
    json!({
        "name": format!("{kind}-{number:05}"),
        "uuid": "",
        "kind": "physical",
        "category": kind,
        "template": false,
        "interfaces": [
            interface("ipmi0", "bmc", in_network(Ipv4Addr::new(192, 168, 0, 0)), "oob"),
            interface("bond0", "bond", in_network(Ipv4Addr::new(10, 0, 0, 0)), "production"),
        ],
        "given": null,
    })
}

fn interface(name: &str, kind: &str, address: Ipv4Addr, network: &str) -> Value {
    json!({
        "name": name, "kind": kind, "address": address, "dhcp": false, "start": "ALWAYS", "network": network, "priority": 60,
    })
}

fn network(name: &str, cidr: &str) -> Value {
    json!({
        "name": name, "uuid": "", "kind": "INTERNAL", "cidr": cidr, "gateway": null, "dhcpPool": null, "management": false,
        "domain": "example.com", "mtu": 1500,
    })
}
