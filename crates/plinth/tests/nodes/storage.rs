//! containerd's data moves to the larger partition, and nothing of it is lost, whatever interrupts the move.

use crate::content::{
    assert_moved, assert_same, assert_usable, each, hold, odd_content, release, until, until_held, until_idle,
};
use crate::support::{Bench, outcome};
use plinth_lab::{LabSpec, Node, NodeSpec, Odd};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Mebibytes of content.
const MIB: u32 = 200;

/// Longest wait for a plinth that ends by itself much sooner.
const HANGS: Duration = Duration::from_secs(400);

const SITE: &str = "apiVersion: plinth/v1
kind: Site
metadata: {name: moving}
inventory:
  static:
NODES
networks: {production: 10.77.0.0/22}
nodes: {controlPlane: [n1], workers: [WORKERS]}
access:
  bootstrap: {user: ubuntu, password: PASSWORD}
  account: {name: plinth, uid: 60000, gid: 60000, keyAlgorithm: ed25519}
storage: {imagesGib: 10, larger: /local/containerd}
kubernetes:
  version: v1.31.9
  network: {plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}
platform:
  ingress: {http: 30080, https: 30443}
";

/// An empty control plane and workers with content on a small /var.
pub(crate) fn bench(name: &str, workers: usize) -> Bench {
    let mut spec = LabSpec::unique(name).usual(1);
    let mut names = Vec::new();
    for n in 2..workers + 2 {
        names.push(format!("n{n}"));
        spec = spec.node(NodeSpec::new(format!("n{n}")).odd(Odd::default().small_var(900)).seed_containerd(MIB));
    }
    Bench::up(&spec, &SITE.replace("WORKERS", &names.join(", ")))
}

pub(crate) fn workers(bench: &Bench) -> Vec<Node<'_>> {
    bench.lab.nodes().skip(1).collect()
}

pub(crate) fn started(bench: &Bench) -> Child {
    let mut command = bench.command(&["apply", "--yes", "--events", "events.ndjson"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// `kill -9`.
pub(crate) fn killed(mut child: Child) {
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "plinth ended by itself before it was killed");
}

/// Waits until plinth ends by itself; one that hangs is killed, and what it said last is told.
pub(crate) fn ended(bench: &Bench, mut child: Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > HANGS {
            child.kill().unwrap();
            panic!("plinth hangs\n{}", last_seen(bench));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The last events, and what runs on the nodes.
fn last_seen(bench: &Bench) -> String {
    let events = std::fs::read_to_string(bench.folder.path().join("events.ndjson")).unwrap_or_default();
    let events: Vec<&str> = events.lines().collect();
    let processes = |node: Node<'_>| node.exec(&["ps", "-eo", "pid,ppid,etimes,args"]).unwrap_or_default();
    let nodes: Vec<String> = bench.lab.nodes().map(processes).collect();
    format!("{}\n{}", events[events.len().saturating_sub(40)..].join("\n"), nodes.join("\n"))
}

/// Runs plinth to its end; the move and the removal of the old copy must have ended well on every worker.
pub(crate) fn completed(bench: &Bench) {
    let (events, _) = bench.apply();
    for node in workers(bench) {
        for step in ["storage", "storage-old"] {
            let ended = outcome(&events, &format!("nodes/{step}/{}", node.name()));
            assert!(
                matches!(ended.as_str(), "changed" | "unchanged"),
                "{step} of {}: {ended}\n{}",
                node.name(),
                why(&events)
            );
        }
    }
}

/// Waits until the move stands where it is held; a copy must not have come to its end there.
fn held_in_time(node: &Node<'_>, place: &str) {
    let said = until_held(node);
    if place.starts_with("within") {
        let mib: u32 = said.trim().parse().unwrap();
        assert!(mib < MIB, "the copy was whole before it was held");
    }
}

/// Moved, healthy, and nothing lost.
pub(crate) fn all_is_well(node: &Node<'_>, before: &str) {
    assert_moved(node);
    assert_same(node, before);
    assert_usable(node);
}

/// The steps that failed.
pub(crate) fn why(events: &[serde_json::Value]) -> String {
    let failed = events.iter().filter(|event| event["event"] == "step.finished" && event["outcome"] == "failed");
    failed.map(|event| format!("{event}\n")).collect()
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn images_move_once_and_nothing_is_lost() {
    let bench = bench("moves", 1);
    let node = bench.lab.node("n2").unwrap();
    let before = odd_content(&node);
    completed(&bench);
    assert_moved(&node);
    assert_same(&node, &before);
    let (events, _) = bench.apply();
    for step in ["storage", "storage-old"] {
        let ended = outcome(&events, &format!("nodes/{step}/n2"));
        assert!(matches!(ended.as_str(), "unchanged" | "skipped" | "not planned"), "{step}: {ended}");
    }
    assert_same(&node, &before);
    node.reboot().unwrap();
    until(&node, "containerd does not run after a restart", |node| node.exec(&["ctr", "version"]).ok());
    assert_same(&node, &before);
    assert_usable(&node);
}

/// Places between two changes: after what the pattern names, as `STAGE PROGRAM ARGUMENTS`.
const PLACES: [&str; 14] = [
    "stopping sync /var/lib/plinth",
    "stopping systemctl stop containerd.service",
    "copying sync /var/lib/plinth",
    "within copying",
    "copying sync -f /local/containerd.plinth-part",
    "verified sync /var/lib/plinth",
    "switching sync /var/lib/plinth",
    "switching mv -T /local/containerd.plinth-part*",
    "switching mv -T /var/lib/containerd *",
    "switching ln *",
    "switching mv -T /var/lib/containerd.plinth-link *",
    "starting sync /var/lib/plinth",
    "starting systemctl start containerd.service",
    "done sync /var/lib/plinth",
];

/// One worker for each place; plinth is killed when every one of them has come to its own.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_killed_plinth_ends_the_move_when_it_runs_again_from_every_stage() {
    let bench = bench("stages", PLACES.len());
    let nodes = workers(&bench);
    let before = each(&nodes, |_, node| odd_content(node));
    each(&nodes, |n, node| hold(node, PLACES[n]));
    let child = started(&bench);
    for (node, place) in nodes.iter().zip(PLACES) {
        held_in_time(node, place);
    }
    killed(child);
    for node in &nodes {
        until_idle(node);
        release(node);
    }
    completed(&bench);
    each(&nodes, |n, node| all_is_well(node, &before[n]));
}
