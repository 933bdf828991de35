//! Moves of containerd's data that are interrupted from the node's own side, or refused.

use crate::clients::{Nodes, as_account};
use crate::content::{
    FROM, TO, assert_same, content, each, hold, odd_content, operations, release, until, until_held, until_idle,
};
use crate::node_client::{account, target};
use crate::storage::{all_is_well, bench, completed, ended, killed, started, workers};
use plinth_lab::{Lab, LabSpec, Node, NodeSpec, Odd};
use plinth_model::SecretRef;
use plinth_model::steps::NodeTarget;
use plinth_world::ClientError;
use plinth_world::node::{NodeAccounts as _, NodeHostKeys as _, NodeStorage as _, StorageState};
use std::time::{Duration, SystemTime};

/// What happens to each worker, and where: the power goes, or somebody ends the operation there.
const PLACES: [(&str, &str); 6] = [
    ("power", "within copying"),
    ("power", "switching mv -T /var/lib/containerd *"),
    ("power", "starting sync /var/lib/plinth"),
    ("script", "within copying"),
    ("script", "switching ln *"),
    ("script", "starting systemctl start containerd.service"),
];

/// plinth goes on meanwhile: it may fix the node by itself, or leave it to the next run.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_node_that_loses_power_or_its_operation_moves_in_the_end() {
    let bench = bench("power", PLACES.len());
    let nodes = workers(&bench);
    let before = each(&nodes, |_, node| odd_content(node));
    each(&nodes, |n, node| hold(node, PLACES[n].1));
    let child = started(&bench);
    each(&nodes, |n, node| {
        until_held(node);
        if PLACES[n].0 == "power" {
            node.kill().unwrap();
            node.boot().unwrap();
        } else {
            // Every process of it, the watch and the shells around it as well.
            node.exec(&["/bin/sh", "-c", "pkill -KILL -f 'plinth .*[0-9a-f]{32} (user|root|lock)'; rm -f /run/hold"])
                .unwrap();
        }
        release(node);
    });
    ended(&bench, child);
    completed(&bench);
    each(&nodes, |n, node| all_is_well(node, &before[n]));
}

/// As above, at moments that nobody chose.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_plinth_that_is_killed_again_and_again_moves_in_the_end() {
    let bench = bench("killed", 2);
    let nodes = workers(&bench);
    let before = each(&nodes, |_, node| odd_content(node));
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_micros();
    eprintln!("moments: {seed}");
    for round in 0..4 {
        let child = started(&bench);
        let wait = Duration::from_millis(u64::from(seed.rotate_left(round * 5) % 2500));
        until(&nodes[0], "no move is under way", |node| (!operations(node).is_empty()).then_some(()));
        std::thread::sleep(wait);
        killed(child);
    }
    completed(&bench);
    each(&nodes, |n, node| all_is_well(node, &before[n]));
}

/// Moves of one node through the client.
struct Moves<'a> {
    nodes: &'a Nodes,
    ours: NodeTarget,
}

impl<'a> Moves<'a> {
    /// With the account made.
    async fn of(nodes: &'a Nodes, lab: &Lab, node: &Node<'_>) -> Self {
        let first = target(node.name(), node.address(), lab.user(), SecretRef::File("password".into()));
        let (client, ctx, account) = (&nodes.client, &nodes.ctx, account(nodes.key.clone()));
        let key = client.host_key(ctx, &first).await.unwrap().presented;
        client.pin_host_key(ctx, &first, &key).await.unwrap();
        client.make_account(ctx, &first, &account).await.unwrap();
        Self { nodes, ours: as_account(&first, &account) }
    }

    /// The refusal; nothing may have been begun.
    async fn refused(&self, to: &str) -> ClientError {
        let (client, ctx) = (&self.nodes.client, &self.nodes.ctx);
        let error = client.relocate_storage(ctx, &self.ours, FROM, to).await.expect_err("the move must be refused");
        assert_eq!(error.transient, None, "{error:?}");
        assert!(!error.attempt.is_empty() && error.doing.contains(self.ours.node.as_str()), "{error:?}");
        assert_eq!(client.storage(ctx, &self.ours, FROM, to).await.unwrap(), StorageState::Old);
        error
    }
}

#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_move_that_cannot_end_well_is_refused_before_anything_is_changed() {
    let node = |name: &str| NodeSpec::new(name).odd(Odd::default().small_var(400)).seed_containerd(20);
    let small = NodeSpec::new("small").odd(Odd::default().small_var(400).disk("/local", 500)).seed_containerd(20);
    let lab = Lab::up(&LabSpec::unique("refused").node(small).node(node("same")).node(node("busy"))).unwrap();
    let all: Vec<Node<'_>> = lab.nodes().collect();
    let before = each(&all, |_, node| odd_content(node));
    let (nodes, busy) = (Nodes::of(&lab), &all[2]);
    nodes.inside(&lab, async || {
        let small = Moves::of(&nodes, &lab, &all[0]).await.refused(TO).await;
        assert!(small.happened.contains("MiB free, the move needs"), "{small:?}");
        let same = Moves::of(&nodes, &lab, &all[1]).await.refused("/var/images").await;
        assert!(same.happened.contains("on the same file system"), "{same:?}");
        let moves = Moves::of(&nodes, &lab, busy).await;
        run_container(busy);
        let running = moves.refused(TO).await;
        assert!(running.happened.contains("1 containers are running: k8s.io/busy"), "{running:?}");
        busy.exec(&["ctr", "-n", "k8s.io", "tasks", "kill", "--signal", "KILL", "busy"]).unwrap();
        until(busy, "the container does not end", |node| {
            node.exec(&["/bin/sh", "-euc", "ctr -n k8s.io tasks rm busy; ctr -n k8s.io containers rm busy"]).ok()
        });
        until(busy, "the shim does not end", |node| node.exec(&["/bin/sh", "-c", "! pgrep containerd-shim"]).ok());
    });
    each(&all, |n, node| {
        assert_same(node, &before[n]);
        let left = node.exec(&[
            "/bin/sh",
            "-c",
            "ls -d /local/containerd* /var/images* /var/lib/plinth/storage /var/lib/*.plinth* 2>/dev/null || true",
        ]);
        assert_eq!(left.unwrap(), "", "{}", node.name());
    });
    // What was in the way is gone: now it moves.
    nodes.inside(&lab, async || {
        let moves = Moves::of(&nodes, &lab, busy).await;
        nodes.client.relocate_storage(&nodes.ctx, &moves.ours, FROM, TO).await.unwrap();
    });
    until_idle(busy);
    assert!(content(busy).contains("lab.example/seed:1"));
}

/// A real container on the node's own files.
fn run_container(node: &Node<'_>) {
    let run = "mkdir -p /local/rootfs/bin; cp /bin/busybox /local/rootfs/bin/; \
               for file in $(ldd /bin/busybox | grep -o '/[^ ]*'); do mkdir -p /local/rootfs${file%/*}; cp -L $file /local/rootfs$file; done; \
               ctr -n k8s.io run --detach --null-io --rootfs /local/rootfs busy /bin/busybox sleep 600";
    node.exec(&["/bin/sh", "-euc", run]).unwrap();
}
