//! Real nodes keep the contract of the node client, and a plan for them has the steps that its rehearsal has.

use crate::clients::{Nodes, reads_mirrors};
use crate::node_client::{Rack, account, contract, target};
use crate::support::{Bench, said};
use plinth_lab::{Lab, LabSpec, NodeSpec, Odd};
use plinth_model::download::DownloadFile;
use plinth_model::steps::NodeTarget;
use plinth_model::{Digest, SecretRef};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a refused call must leave as it is.
const LOOK: &str = "cat /etc/passwd /etc/group /etc/shadow /etc/hosts; systemctl is-active containerd; \
                    find /etc /home /local /var/lib -maxdepth 2 -path /var/lib/plinth -prune -o -printf '%p %m %U %G %y\\n' | sort";

fn lab() -> Lab {
    let fresh = NodeSpec::new("fresh").odd(Odd::default().small_var(400)).seed_containerd(20);
    let clash = Odd::default().group("somebody-else", 60000).user("somebody-else", 60000, 60000);
    let spec = LabSpec::unique("contract")
        .node(fresh)
        .node(NodeSpec::new("partial").odd(Odd::default().group("ansiblebcm", 60000)))
        .node(NodeSpec::new("clash").odd(clash))
        .node(NodeSpec::new("away"))
        .node(NodeSpec::new("rekeyed"));
    Lab::up(&spec).unwrap()
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn real_nodes_keep_the_contract() {
    let lab = Arc::new(lab());
    reads_mirrors(&lab.node("fresh").unwrap());
    lab.node("away").unwrap().cut().unwrap();
    let nodes = Nodes::of(&lab);
    let at = |name: &str| -> NodeTarget {
        target(name, lab.node(name).unwrap().address(), lab.user(), SecretRef::File("password".into()))
    };
    let folder = tempfile::tempdir().unwrap();
    let content = vec![7; 20 * 1024 * 1024];
    std::fs::write(folder.path().join("content"), &content).unwrap();
    let file = DownloadFile {
        name: "kubelet".to_owned(),
        url: "https://example.com/kubelet".to_owned(),
        sha256: Digest::of_bytes(&content).as_str().to_owned(),
        dest: "kubelet-v1".to_owned(),
        groups: Vec::new(),
    };
    let (of_keys, of_looks) = (Arc::clone(&lab), Arc::clone(&lab));
    let rack = Rack {
        fresh: at("fresh"),
        partial: at("partial"),
        clash: at("clash"),
        unreachable: at("away"),
        rekeyed: at("rekeyed"),
        rekey: Box::new(move || of_keys.node("rekeyed").unwrap().new_host_keys().unwrap()),
        fingerprint: Box::new(move |target| {
            of_looks.node(target.node.as_str()).unwrap().exec(&["/bin/sh", "-c", LOOK]).unwrap()
        }),
        mirror: Nodes::mirror(&lab),
        account: account(nodes.key.clone()),
        source: folder.path().join("content"),
        file,
    };
    nodes.inside(&lab, async || {
        contract(&nodes.client, &nodes.ctx, &rack).await;
    });
}

const SITE: &str = "apiVersion: plinth/v1
kind: Site
metadata: {name: same-steps}
inventory:
  static:
NODES
networks: {production: 10.77.0.0/22}
nodes: {controlPlane: [n1], workers: [n2]}
access:
  bootstrap: {user: ubuntu, password: PASSWORD}
  account: {name: plinth, uid: 60000, gid: 60000, keyAlgorithm: ed25519}
storage: {imagesGib: 1, larger: /local/containerd}
registries:
  mirrors: [{registry: docker.io, endpoints: [\"http://10.77.0.1:5000\"]}]
kubernetes:
  version: v1.31.9
  network: {plugin: calico, pods: 172.29.0.0/16, services: 10.150.0.0/16}
platform:
  ingress: {http: 30080, https: 30443}
";

/// Steps that the run of these events knew.
fn steps(bench: &Bench, file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(bench.folder.path().join(file)).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let steps: BTreeSet<String> = events.filter_map(|event| event["step"].as_str().map(str::to_owned)).collect();
    assert!(!steps.is_empty(), "{text}");
    steps
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_run_on_real_nodes_has_the_steps_of_its_rehearsal() {
    let bench = Bench::up(&LabSpec::unique("steps").usual(2), SITE);
    let rehearsal = bench.plinth_at("rehearsal", &["rehearse", "--events", "rehearsed.ndjson"]);
    assert!(bench.folder.path().join("rehearsed.ndjson").exists(), "{}", said(&rehearsal));
    bench.apply();
    // Facts decide whether images move: a real node without any leaves them to the engine.
    let decided_by_facts = |step: &String| !step.starts_with("nodes/storage");
    let rehearsed: BTreeSet<String> = steps(&bench, "rehearsed.ndjson").into_iter().filter(decided_by_facts).collect();
    let real: BTreeSet<String> = steps(&bench, "events.ndjson").into_iter().filter(decided_by_facts).collect();
    assert_eq!(real, rehearsed);
    assert!(real.contains("nodes/registries/n2"), "{real:?}");
}
