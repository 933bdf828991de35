//! Plans a made-up site of as many nodes as asked for, with the real catalog, and says how long planning took and how much
//! memory the process needed at most. `cargo xtask bench` runs it.
//!
//! Usage: `plan_size NODES`. Prints one JSON object: `nodes`, `steps`, `seconds` (planning alone), `peakMib`.

use plinth_catalog::Catalog;
use plinth_model::Observed as Overlays;
use plinth_model::inventory::{
    Category, Interface, InterfaceKind, Inventory, InventoryNode, Network, NodeKind, SCHEMA,
};
use plinth_plan::{Observed, plan};
use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

const SITE: &str = r#"
apiVersion: plinth/v1
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

fn main() -> ExitCode {
    match measured() {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("plan_size: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Result<String, Box<dyn Error>> {
    let nodes: u32 = std::env::args().nth(1).ok_or("how many nodes?")?.parse()?;
    let site =
        plinth_site::parse(SITE.as_bytes(), Path::new("site.yaml")).map_err(|no| format!("{:#?}", no.findings))?;
    let catalog = Catalog::embedded()?;
    let observed = Observed::new(inventory(nodes));
    let start = Instant::now();
    let plan = plan(&site.desired, &observed, &catalog).map_err(|findings| format!("{findings:#?}"))?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(serde_json::json!({
        "nodes": nodes, "steps": plan.steps.len(), "seconds": seconds, "peakMib": peak_mib(),
    })
    .to_string())
}

/// Three control-plane nodes, the rest DGX; every node with the interfaces that a BCM lists.
fn inventory(nodes: u32) -> Inventory {
    Inventory {
        schema: SCHEMA,
        source: "made up".into(),
        nodes: (0..nodes).map(node).collect(),
        networks: vec![network("production", "10.0.0.0/8"), network("oob", "192.168.0.0/16")],
        categories: ["cpu", "dgx"].map(|name| Category { name: name.into(), uuid: String::new() }).into(),
        overlays: Overlays::Absent,
    }
}

fn node(number: u32) -> InventoryNode {
    let kind = if number < 3 { "cpu" } else { "dgx" };
    // Leaves the first 256 addresses to the network itself.
    let offset = number + 256;
    let production = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + offset);
    let oob = Ipv4Addr::from(u32::from(Ipv4Addr::new(192, 168, 0, 0)) + offset);
    InventoryNode {
        name: format!("{kind}-{number:05}"),
        uuid: String::new(),
        kind: NodeKind::Physical,
        category: Some(kind.into()),
        template: false,
        interfaces: vec![
            interface("ipmi0", InterfaceKind::Bmc, oob, "oob"),
            interface("bond0", InterfaceKind::Bond, production, "production"),
        ],
        given: None,
    }
}

fn interface(name: &str, kind: InterfaceKind, address: Ipv4Addr, network: &str) -> Interface {
    Interface {
        name: name.into(),
        kind,
        address: address.to_string(),
        dhcp: false,
        start: "ALWAYS".into(),
        network: Some(network.into()),
        priority: 60,
    }
}

fn network(name: &str, cidr: &str) -> Network {
    Network {
        name: name.into(),
        uuid: String::new(),
        kind: "INTERNAL".into(),
        cidr: cidr.parse().ok(),
        gateway: None,
        dhcp_pool: None,
        management: false,
        domain: "example.com".into(),
        mtu: 1500,
    }
}

/// The highest resident memory the kernel saw; null where it does not tell.
fn peak_mib() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}
