//! The simulated nodes keep the contract of the node client. The real ones do in `tests/nodes`.

use crate::node_client::{Rack, account, contract, target};
use plinth_model::download::DownloadFile;
use plinth_model::inventory::{Inventory, SCHEMA};
use plinth_model::{NodeName, Observed, SecretRef};
use plinth_sim::{Oddity, Scenario, SimOptions, Simulation};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

const NODES: [&str; 5] = ["fresh", "partial", "clash", "away", "rekeyed"];

fn address(node: &str) -> Ipv4Addr {
    let at = NODES.iter().position(|name| *name == node).unwrap();
    Ipv4Addr::new(10, 184, 162, 100 + u8::try_from(at).unwrap())
}

fn name(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

/// Five DGX machines: their /var is small and their /local is large.
fn simulation() -> Simulation {
    let inventory = Inventory {
        schema: SCHEMA,
        source: "static".to_owned(),
        nodes: Vec::new(),
        networks: Vec::new(),
        categories: Vec::new(),
        overlays: Observed::Absent,
    };
    let addresses: BTreeMap<NodeName, Ipv4Addr> = NODES.iter().map(|node| (name(node), address(node))).collect();
    let scenario = Scenario::from_inventory(&inventory, &addresses, &addresses.keys().cloned().collect(), 7);
    let scenario = scenario.odd(&name("clash"), Oddity::UserIdTaken(60000));
    let mut options = SimOptions::new(scenario);
    let faults = ["node:away:unreachable", "node:partial:drop@account", "node:rekeyed:host-key-changed"];
    options.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Simulation::start(options).unwrap()
}

#[test]
fn simulated_nodes_keep_the_contract() {
    let simulation = Arc::new(simulation());
    let (ctx, client) = (simulation.context(), Arc::clone(&simulation.clients.node));
    let at = |node: &str| target(node, address(node), "ibm", SecretRef::Env("BOOTSTRAP_PASSWORD".to_owned()));
    let seen = Arc::clone(&simulation);
    let file = DownloadFile {
        name: "kubelet".to_owned(),
        url: "https://example.com/kubelet".to_owned(),
        sha256: "a".repeat(64),
        dest: "kubelet-v1".to_owned(),
        groups: Vec::new(),
    };
    let rack = Rack {
        fresh: at("fresh"),
        partial: at("partial"),
        clash: at("clash"),
        unreachable: at("away"),
        rekeyed: at("rekeyed"),
        // The fault gives it another key as soon as the first one is pinned.
        rekey: Box::new(|| ()),
        fingerprint: Box::new(move |_| seen.snapshot().to_string()),
        mirror: "http://10.184.162.1:5000".to_owned(),
        account: account(SecretRef::Generated("ssh-key".to_owned())),
        source: simulation.clients.fetch.place(&file.sha256),
        file,
    };
    let work = async {
        simulation.clients.fetch.fetch(&ctx, &rack.file).await.unwrap();
        let key = client.host_key(&ctx, &rack.partial).await.unwrap().presented;
        client.pin_host_key(&ctx, &rack.partial, &key).await.unwrap();
        client.make_account(&ctx, &rack.partial, &rack.account).await.expect_err("the fault strikes once");
        contract(&*client, &ctx, &rack).await;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(simulation.clock.drive_strictly(work)).unwrap();
    assert_eq!(simulation.unspent(), Vec::<String>::new());
}
