use crate::rack::{
    NODES, asked, connect, deploy, everything, kubernetes, name, options, platform, play, prepare_node, prepare_nodes,
    release, run, runai, start, target,
};
use async_trait::async_trait;
use plinth_model::EngineRecord;
use plinth_model::inventory::Inventory;
use plinth_sim::bcm::{BcmFaultKind, SessionEnd};
use plinth_sim::faults::FaultKind;
use plinth_sim::{Fault, FaultError, KnownNames, Simulation, bcm_faults_due};
use plinth_world::bcm::{BcmClient, BcmIdentity};
use plinth_world::{ClientResult, Context};
use serde_json::json;
use std::sync::Arc;

fn parse(text: &str) -> Result<Fault, FaultError> {
    text.parse()
}

#[test]
fn every_documented_example_is_understood_and_written_back() {
    for form in Fault::all_forms() {
        let fault = parse(form.example).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(fault.to_string(), form.example);
        assert!(!fault.always && !form.meaning.is_empty());
        let always = parse(&format!("{}:always", form.example));
        assert_eq!(always.is_ok_and(|fault| fault.always), !form.example.starts_with("crash"), "{}", form.example);
    }
}

#[test]
fn numbers_and_moments_are_read() {
    assert_eq!(parse("crash@record:40").unwrap().crash_at(), Some(40));
    assert_eq!(parse("runai:401").unwrap().crash_at(), None);
    let server = parse("bcm:5xx:3").unwrap().bcm().unwrap();
    assert_eq!((server.kind, server.times), (BcmFaultKind::Status(503), 3));
    assert_eq!(parse("bcm:html:always").unwrap().bcm().unwrap().times, u32::MAX);
    let expired = parse("bcm:expired").unwrap().bcm().unwrap();
    assert_eq!((expired.kind, expired.times), (BcmFaultKind::SessionEnded(SessionEnd::Unauthorized), 1));
    assert!(parse("runai:401").unwrap().bcm().is_none());
}

#[test]
fn what_is_not_a_fault_says_what_would_be() {
    for (text, wanted) in [
        ("", "one of"),
        ("bmc:5xx", "bcm:5xx"),
        ("bcm:5yy", "bcm:5xx"),
        ("bcm:5xx:0", "number from 1"),
        ("bcm:expired:2", "known forms"),
        ("node:dgx-05", "unreachable"),
        ("node::unreachable", "unreachable"),
        ("node:dgx-05:unreachible", "unreachable"),
        ("node:dgx-05:drop", "drop@kubernetes"),
        ("node:dgx-05:drop@kubernets", "kubernetes"),
        ("node:dgx-05:disk-full@facts", "with a moment"),
        ("play:dgx-05:explodes", "play:NAME:fails"),
        ("release:gpu-operator:slow", "timeout"),
        ("runai:402", "runai:401"),
        ("crash@record:x", "crash@record:N"),
        ("crash@record:4:always", "once"),
        ("storm", "one of"),
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.contains(wanted), "`{text}`: {error}");
        assert!(error.contains("try "), "`{text}`: {error}");
    }
}

#[test]
fn names_that_are_not_there_are_refused_with_those_that_are() {
    let known = KnownNames {
        nodes: NODES.map(str::to_owned).into(),
        releases: ["gpu-operator".to_owned(), "ingress-nginx".to_owned()].into(),
    };
    for (text, wanted) in [
        ("node:dgx-5:unreachable", "`dgx-05`"),
        ("play:zebra:fails", "cpu-03, cpu-05"),
        ("release:gpu-operater:fails", "`gpu-operator`"),
    ] {
        let error = parse(text).unwrap().validate(&known).expect_err(text).to_string();
        assert!(error.contains(wanted), "{error}");
    }
    for text in ["node:dgx-05:unreachable", "release:gpu-operator:fails", "runai:401", "bcm:html", "crash@record:1"] {
        assert_eq!(parse(text).unwrap().validate(&known), Ok(()));
    }
    assert!(Simulation::start(options(None, &["node:zebra:unreachable"])).is_err());
}

/// The first run with the fault fails, and says so; the next one with the same state and the same fault succeeds; the world is
/// then as if nothing had happened.
fn heals(fault: &str, wanted: &str) {
    let clean = start(None, &[]);
    run(&clean, everything(&clean)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let first = start(Some(dir.path()), &[fault]);
    let error = run(&first, everything(&first)).expect_err(fault).to_string();
    assert!(error.contains(wanted), "{fault}: {error}");
    assert_eq!(first.count("fault-fired"), 1, "{fault}");
    drop(first);
    let second = start(Some(dir.path()), &[fault]);
    run(&second, everything(&second)).unwrap_or_else(|error| panic!("{fault} did not heal: {error}"));
    assert_eq!(second.snapshot(), clean.snapshot(), "{fault}");
}

#[test]
fn faults_strike_in_one_run_and_are_healed_in_the_next() {
    for (fault, wanted) in [
        ("node:dgx-05:unreachable", "no answer"),
        ("node:dgx-05:unreachable@facts", "no answer"),
        ("node:dgx-05:host-key-changed", "is not the pinned"),
        ("node:dgx-05:disk-full", "no space left"),
        ("node:dgx-05:drop@kubernetes", "hosts failed"),
        ("node:dgx-05:unreachable@kubernetes", "hosts failed"),
        ("play:cpu-05:fails", "hosts failed"),
        ("release:gpu-operator:timeout", "deadline exceeded"),
        ("release:gpu-operator:fails", "progress deadline"),
        ("runai:issuer-mismatch", "issuer"),
        ("runai:401", "401"),
        ("runai:409", "409"),
        ("runai:disconnected", "never connected"),
    ] {
        heals(fault, wanted);
    }
}

#[test]
fn a_dropped_connection_is_over_at_once() {
    for moment in ["connect", "account", "facts", "storage", "registries"] {
        let sim = start(None, &[&format!("node:dgx-05:drop@{moment}")]);
        run(&sim, async {
            let error = prepare_node(&sim, "dgx-05").await.expect_err(moment);
            assert!(error.transient.is_some() && error.to_string().contains("lost"), "{moment}: {error}");
            prepare_node(&sim, "dgx-05").await.unwrap_or_else(|error| panic!("{moment}: {error}"));
        });
        assert_eq!(sim.count("fault-fired"), 1, "{moment}");
    }
}

#[test]
fn an_account_that_was_cut_off_is_half_there() {
    use plinth_world::node::AccountState;
    let sim = start(None, &["node:dgx-05:drop@account"]);
    let (ctx, first) = (sim.context(), target("dgx-05", "ibm"));
    run(&sim, async {
        assert!(prepare_node(&sim, "dgx-05").await.is_err());
        let seen = sim.clients.node.account(&ctx, &first, &crate::rack::account()).await.unwrap();
        assert!(matches!(seen, AccountState::Partial(_)), "{seen:?}");
    });
}

#[test]
fn always_means_every_run() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let sim = start(Some(dir.path()), &["node:dgx-05:unreachable:always"]);
        assert!(run(&sim, prepare_nodes(&sim)).is_err());
    }
}

#[test]
fn a_drop_in_the_play_costs_exactly_that_host_and_stops_the_play() {
    let sim = start(None, &["node:dgx-05:drop@kubernetes"]);
    let ctx = sim.context();
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        let stats = deploy(&sim).await.unwrap();
        for node in NODES {
            let host = stats.hosts[node];
            assert_eq!((host.unreachable, host.failures), (u64::from(node == "dgx-05"), 0), "{node}");
            assert!(host.ok > 400 && host.ok < 1040, "{node} did {} tasks", host.ok);
        }
        let Some(EngineRecord::Kubespray(record)) = sim.clients.records.record(&ctx).await.unwrap() else { panic!() };
        assert!(record.last.is_none() && record.begun.is_some(), "{record:?}");
    });
    assert_eq!(sim.count("host-prepared"), 5);
    let snapshot = sim.snapshot();
    let members: Vec<&String> = snapshot["cluster"]["members"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["cpu-03", "cpu-05", "cpu-06", "dgx-06"]);
    assert!(
        snapshot["cluster"]["members"]["cpu-03"]["becomesReady"] == json!(false),
        "the network comes behind the join"
    );
}

#[test]
fn a_failing_task_is_a_failure_and_not_an_unreachable_host() {
    let sim = start(None, &["play:cpu-05:fails"]);
    let stats = run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        deploy(&sim).await.unwrap()
    });
    for node in NODES {
        assert_eq!((stats.hosts[node].failures, stats.hosts[node].unreachable), (u64::from(node == "cpu-05"), 0));
    }
    assert_eq!(sim.count("host-joined"), 0);
}

#[test]
fn a_play_that_is_dropped_by_its_caller_can_be_run_again() {
    let sim = start(None, &[]);
    let ctx = sim.context();
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        let all = play();
        assert!(deploy(&sim).await.is_ok());
        let play = sim.clients.ansible.play(&ctx, &all);
        let gone = within_20_s(&ctx, play).await;
        assert!(gone.is_none());
        kubernetes(&sim).await.unwrap();
    });
}

async fn within_20_s<T>(ctx: &Context, work: impl Future<Output = T>) -> Option<T> {
    use futures::FutureExt;
    let mut work = std::pin::pin!(work.fuse());
    let mut end = std::pin::pin!(ctx.clock().sleep(std::time::Duration::from_secs(20)).fuse());
    futures::select! {
        output = work => Some(output),
        () = end => None,
    }
}

#[test]
fn a_small_disk_asks_for_the_larger_partition() {
    let sim = start(None, &["node:cpu-03:small-disk"]);
    run(&sim, prepare_nodes(&sim)).unwrap();
    assert_eq!(sim.count("storage-relocated"), 3);
    let facts = run(&sim, async {
        let paths = ["/var/lib/containerd".to_owned(), "/local/containerd".to_owned()];
        sim.clients.node.facts(&sim.context(), &target("cpu-03", "ansiblebcm"), &asked(&paths)).await.unwrap()
    });
    assert_eq!((facts.relocated, facts.free_gib("/var/lib/containerd")), (true, Some(6)));
}

#[test]
fn a_conflict_makes_no_entry_and_a_disconnected_cluster_says_so() {
    let sim = start(None, &["runai:409", "runai:disconnected"]);
    let ctx = sim.context();
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        platform(&sim).await.unwrap();
        assert!(connect(&sim).await.unwrap_err().to_string().contains("409"));
        assert!(sim.clients.runai.clusters(&ctx, &runai()).await.unwrap().is_empty());
    });
}

#[test]
fn a_timed_out_release_takes_its_time_and_leaves_a_failed_release() {
    let sim = start(None, &["release:metrics-server:timeout"]);
    let ctx = sim.context();
    let part = release("metrics-server", "default", json!({}));
    run(&sim, async {
        prepare_nodes(&sim).await.unwrap();
        kubernetes(&sim).await.unwrap();
        let before = sim.clock.clone();
        let began = plinth_world::Clock::elapsed(&before);
        assert!(sim.clients.helm.upgrade(&ctx, &part).await.is_err());
        assert!(plinth_world::Clock::elapsed(&before) - began >= std::time::Duration::from_secs(600));
        let state = sim.clients.helm.release(&ctx, "default", "metrics-server").await.unwrap();
        assert_eq!(state.as_ref().unwrap().status, "failed");
    });
}

struct OneHead;

#[async_trait]
impl BcmClient for OneHead {
    async fn identity(&self, _: &Context) -> ClientResult<BcmIdentity> {
        Ok(BcmIdentity { head_nodes: Vec::new(), names: vec!["head".to_owned()] })
    }

    async fn inventory(&self, _: &Context) -> ClientResult<Inventory> {
        panic!("not called")
    }
}

#[test]
fn bcm_faults_are_due_until_bcm_was_called() {
    let dir = tempfile::tempdir().unwrap();
    let faults = [parse("bcm:5xx:2").unwrap(), parse("bcm:html:always").unwrap(), parse("runai:401").unwrap()];
    assert_eq!(bcm_faults_due(&faults, Some(dir.path()), crate::rack::SEED).unwrap().len(), 2);
    let mut options = options(Some(dir.path()), &[]);
    options.faults = faults.to_vec();
    options.bcm = Some(Arc::new(OneHead));
    let sim = Simulation::start(options).unwrap();
    assert_eq!(bcm_faults_due(&faults, Some(dir.path()), crate::rack::SEED).unwrap().len(), 2);
    let ctx = sim.context();
    assert_eq!(run(&sim, sim.clients.bcm.identity(&ctx)).unwrap().names, ["head"]);
    drop(sim);
    let due = bcm_faults_due(&faults, Some(dir.path()), crate::rack::SEED).unwrap();
    assert_eq!(due.iter().map(|fault| fault.times).collect::<Vec<_>>(), [u32::MAX]);
}

#[test]
fn faults_that_did_not_strike_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let faults =
        ["node:dgx-05:drop@facts", "node:dgx-05:unreachable@storage", "runai:401", "bcm:5xx", "crash@record:9"];
    let sim = start(Some(dir.path()), &faults);
    assert_eq!(sim.unspent(), faults[..4]);
    assert!(run(&sim, prepare_node(&sim, "dgx-05")).is_err());
    assert_eq!(sim.unspent(), faults[1..4]);
    drop(sim);
    assert_eq!(start(Some(dir.path()), &faults).unspent(), faults[1..4], "what is healed cannot strike");
    let always = ["node:dgx-05:drop@facts:always"];
    assert_eq!(start(Some(dir.path()), &always).unspent(), always, "struck before, not in this run");
}

#[test]
fn a_fault_knows_its_kind() {
    assert!(
        matches!(parse("play:dgx-05:fails").unwrap().kind, FaultKind::Play { node } if node == name("dgx-05").as_str())
    );
}
