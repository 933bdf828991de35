//! Links that are cut and nodes that freeze in the middle of an operation: the wait is bounded, the error says that it may pass
//! and names the node, what ran there is ended, nothing is half-written, and the next try completes.

use crate::clients::{Nodes, as_account, reads_mirrors};
use crate::content::{FROM, TO, assert_same, each, hold, odd_content, operations, release, until_held, until_idle};
use crate::node_client::{account, target};
use crate::storage::{all_is_well, bench, completed, ended, started, why, workers};
use crate::support::outcome;
use plinth_lab::{Lab, LabSpec, Node, NodeSpec, Odd};
use plinth_model::SecretRef;
use plinth_model::facts::Asked;
use plinth_model::steps::{Account, Mirror, NodeTarget, Preparation};
use plinth_ssh::SshNodes;
use plinth_world::node::{
    AccountState, NodeAccounts as _, NodeHostKeys as _, NodeInspection as _, NodePreparation as _, NodeRegistries as _,
    NodeStorage as _, Registries, StorageState,
};
use plinth_world::{ClientError, ClientResult, Context};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Longest wait for operations that end by themselves much sooner: only a client that hangs waits as long.
const HANGS: Duration = Duration::from_secs(240);

/// Each with a place in its middle, as the node's programs tell it.
const OPERATIONS: [(&str, &str); 5] = [
    ("account", "* useradd *"),
    ("facts", "* df *"),
    ("prepare", "* sync /etc/hosts.plinth-new"),
    ("registries", "* sync */hosts.toml.plinth-new"),
    ("storage", "within copying"),
];
/// What happens to a node.
const TROUBLES: [&str; 2] = ["cut", "frozen"];

/// Files are whole, with what was there before.
const WHOLE: &str = "visudo -c -q; grep -q localhost /etc/hosts; getent passwd ubuntu >/dev/null; pwck -q -r || [ $? = 2 ]; \
                     for file in $(find /etc/containerd/certs.d -name hosts.toml 2>/dev/null); do grep -q pull $file; done";
/// Names under which files are written before they are put in place.
const LEFT: &str = "find /etc /home /var/lib/plinth /var/lib/kubelet -name '*.plinth-*' 2>/dev/null || true";

fn lab() -> Lab {
    let mut spec = LabSpec::unique("cuts").node(node_for("storage", "well"));
    for (operation, _) in OPERATIONS {
        for trouble in TROUBLES {
            spec = spec.node(node_for(operation, &format!("{operation}-{trouble}")));
        }
    }
    Lab::up(&spec).unwrap()
}

fn node_for(operation: &str, name: &str) -> NodeSpec {
    let node = NodeSpec::new(name);
    if operation == "storage" { node.odd(Odd::default().small_var(500)).seed_containerd(80) } else { node }
}

/// One operation on one node, and all that it needs.
#[derive(Clone)]
struct Case {
    client: SshNodes,
    ctx: Context,
    first: NodeTarget,
    account: Account,
    mirror: String,
}

impl Case {
    fn of(nodes: &Nodes, lab: &Lab, node: &Node<'_>) -> Self {
        let first = target(node.name(), node.address(), lab.user(), SecretRef::File("password".into()));
        let (client, ctx, account) = (nodes.client.clone(), nodes.ctx.clone(), account(nodes.key.clone()));
        Self { client, ctx, first, account, mirror: Nodes::mirror(lab) }
    }

    /// As far as the operation needs it.
    async fn ready(&self, operation: &str) {
        let key = self.client.host_key(&self.ctx, &self.first).await.unwrap().presented;
        self.client.pin_host_key(&self.ctx, &self.first, &key).await.unwrap();
        if operation != "account" {
            self.client.make_account(&self.ctx, &self.first, &self.account).await.unwrap();
        }
    }

    async fn run(&self, operation: &str) -> ClientResult<()> {
        let (client, ctx, ours) = (&self.client, &self.ctx, &as_account(&self.first, &self.account));
        match operation {
            "account" => client.make_account(ctx, &self.first, &self.account).await,
            "facts" => {
                let asked = Asked { paths: vec!["/var".to_owned()], ..Asked::default() };
                client.facts(ctx, ours, &asked).await.map(|facts| assert!(facts.cpus > 0))
            }
            "prepare" => client.prepare(ctx, ours, &preparation()).await,
            "registries" => {
                let mirrors = [Mirror { registry: "docker.io".to_owned(), endpoints: vec![self.mirror.clone()] }];
                let wanted = Registries { mirrors: &mirrors, mirrors_by_engine: false, logins: &[] };
                client.set_registries(ctx, ours, &wanted).await
            }
            "storage" => client.relocate_storage(ctx, ours, FROM, TO).await,
            other => panic!("there is no operation {other}"),
        }
    }
}

fn preparation() -> Preparation {
    Preparation {
        hosts: [(plinth_model::Domain::fixed("runai.example.com"), Ipv4Addr::new(10, 77, 0, 11))].into(),
        ..Preparation::default()
    }
}

fn parts<'a>(node: &'a Node<'_>) -> (&'a str, &'a str) {
    node.name().split_once('-').unwrap_or(("storage", "well"))
}

/// Everything at once: each node is in the middle of its own operation when its own trouble comes.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn every_operation_outlives_a_cut_link_and_a_frozen_node() {
    let lab = lab();
    let nodes = Nodes::of(&lab);
    let all: Vec<Node<'_>> = lab.nodes().collect();
    let before = each(&all, |_, node| {
        reads_mirrors(node);
        if parts(node).0 == "storage" { odd_content(node) } else { String::new() }
    });
    nodes.inside(&lab, async || {
        let cases: Vec<Case> = all.iter().map(|node| Case::of(&nodes, &lab, node)).collect();
        let ready = all.iter().zip(&cases).map(|(node, case)| case.ready(parts(node).0));
        for ready in ready {
            ready.await;
        }
        let troubled = &all[1..];
        for node in troubled {
            hold(node, OPERATIONS.iter().find(|(operation, _)| *operation == parts(node).0).unwrap().1);
        }
        let running: Vec<_> = all.iter().zip(&cases).map(|(node, case)| spawned(case, parts(node).0)).collect();
        each(troubled, |_, node| trouble(node));
        let mut ended = Vec::new();
        for task in running {
            ended.push(tokio::time::timeout(HANGS, task).await.expect("the client hangs").unwrap());
        }
        ended.remove(0).expect("the node that is well is not held up by the others");
        for (node, ended) in troubled.iter().zip(ended) {
            assert_passing(node, &ended.expect_err("nothing can have come back"));
        }
        each(troubled, |_, node| fixed(node));
        for (node, case) in all.iter().zip(&cases) {
            case.run(parts(node).0).await.unwrap_or_else(|error| panic!("{} again: {error:?}", node.name()));
        }
        assert_done(&cases, &all).await;
    });
    each(&all, |n, node| {
        assert_eq!(
            node.exec(&["/bin/sh", "-euc", LEFT]).unwrap().lines().filter(|left| !left.contains("plinth-old")).count(),
            0
        );
        if parts(node).0 == "storage" {
            assert_same(node, &before[n]);
        }
    });
}

fn spawned(case: &Case, operation: &str) -> tokio::task::JoinHandle<ClientResult<()>> {
    let (case, operation) = (case.clone(), operation.to_owned());
    tokio::spawn(async move { case.run(&operation).await })
}

/// Brings the trouble when the operation stands in its middle.
fn trouble(node: &Node<'_>) {
    until_held(node);
    assert_ne!(operations(node), "", "{}: the test does not see what runs there", node.name());
    if parts(node).1 == "cut" { node.cut().unwrap() } else { node.freeze().unwrap() }
}

fn assert_passing(node: &Node<'_>, error: &ClientError) {
    assert!(error.transient.is_some(), "{}: {error:?}", node.name());
    assert!(error.doing.contains(node.name()), "{error:?}");
    assert!(!error.happened.is_empty() && !error.attempt.is_empty(), "{error:?}");
}

/// What ran there ends without us: while the link is still cut, and as soon as a frozen node goes on.
fn fixed(node: &Node<'_>) {
    if parts(node).1 == "frozen" {
        node.thaw().unwrap();
    }
    until_idle(node);
    node.exec(&["/bin/sh", "-euc", WHOLE]).unwrap();
    release(node);
    node.fix().unwrap();
}

async fn assert_done(cases: &[Case], all: &[Node<'_>]) {
    for (node, case) in all.iter().zip(cases) {
        let ours = as_account(&case.first, &case.account);
        let state = case.client.account(&case.ctx, &ours, &case.account).await.unwrap();
        assert_eq!(state, AccountState::Same, "{}", node.name());
        match parts(node).0 {
            "prepare" => {
                let lacks = case.client.preparation(&case.ctx, &ours, &preparation()).await.unwrap();
                assert_eq!(lacks, Vec::<String>::new(), "{}", node.name());
            }
            "storage" => {
                let state = case.client.storage(&case.ctx, &ours, FROM, TO).await.unwrap();
                assert!(matches!(state, StorageState::New { old_copy_mib: Some(_) }), "{}: {state:?}", node.name());
            }
            _ => {}
        }
    }
}

/// Nobody answers from the start: on a cut link no connection is made; a frozen node takes it and says nothing.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn connecting_to_a_cut_or_frozen_node_ends_and_says_so() {
    let lab = Lab::up(&LabSpec::unique("silent").node(NodeSpec::new("a-cut")).node(NodeSpec::new("a-frozen"))).unwrap();
    let nodes = Nodes::of(&lab);
    let (cut, frozen) = (lab.node("a-cut").unwrap(), lab.node("a-frozen").unwrap());
    cut.cut().unwrap();
    frozen.freeze().unwrap();
    nodes.inside(&lab, async || {
        for node in [&cut, &frozen] {
            let case = Case::of(&nodes, &lab, node);
            let answer = tokio::time::timeout(HANGS, case.client.host_key(&case.ctx, &case.first))
                .await
                .expect("the client hangs");
            let error = answer.expect_err("nobody answers");
            assert_passing(node, &error);
            assert_eq!(error.happened.contains("took the connection"), node.name() == "a-frozen", "{error:?}");
        }
        cut.fix().unwrap();
        frozen.thaw().unwrap();
        for node in [&cut, &frozen] {
            Case::of(&nodes, &lab, node).ready("facts").await;
        }
    });
}

/// The whole of plinth: one link is cut and one node freezes while images move; a third node has no trouble.
#[test]
#[ignore = "needs root and the lab: cargo xtask test --tier nodes"]
fn a_run_ends_by_itself_finishes_the_other_nodes_and_goes_on_when_the_link_is_fixed() {
    let bench = bench("links", 3);
    let nodes = workers(&bench);
    let [cut, frozen, well] = &nodes[..] else { panic!("three workers are expected") };
    let before = each(&nodes, |_, node| odd_content(node));
    hold(cut, "within copying");
    hold(frozen, "within copying");
    let child = started(&bench);
    until_held(cut);
    cut.cut().unwrap();
    until_held(frozen);
    frozen.freeze().unwrap();
    let status = ended(&bench, child);
    let events = bench.events();
    assert_eq!(status.code(), Some(4), "{}", why(&events));
    assert_eq!(outcome(&events, &format!("nodes/storage-old/{}", well.name())), "changed", "{}", why(&events));
    for node in [cut, frozen] {
        let step = format!("nodes/storage/{}", node.name());
        assert_eq!(outcome(&events, &step), "failed");
        let retried = events.iter().any(|event| event["event"] == "step.retrying" && event["step"] == step);
        assert!(retried, "a lost link may come back: {events:#?}");
        let ended = events.iter().find(|event| event["event"] == "step.finished" && event["step"] == step).unwrap();
        let finding = &ended["finding"];
        assert_eq!(finding["subject"], node.name(), "{ended}");
        assert!(!finding["fix"].as_str().unwrap_or_default().is_empty(), "{ended}");
    }
    until_idle(cut);
    frozen.thaw().unwrap();
    until_idle(frozen);
    cut.fix().unwrap();
    release(cut);
    release(frozen);
    completed(&bench);
    each(&nodes, |n, node| all_is_well(node, &before[n]));
}
