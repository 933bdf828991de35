//! A cluster's life: installed, left alone, grown, upgraded, looked at, reset.

use crate::ground::{
    DEPLOY, applied, client, deployed, last, logs, nothing_left, quiet, record, release, runtime, targets, text, up,
};
use crate::seen::sh;
use plinth_ansible::LocalAnsible;
use plinth_model::NodeName;
use plinth_model::engine::Play;
use plinth_world::ansible::{AnsibleClient as _, Artifact, PlayRun};
use plinth_world::engine::FileRecords;
use serde_json::Value;

fn progress(events: &[Value]) -> Vec<(u64, u64, &str)> {
    let of = |event: &&Value| event["event"] == "step.progress" && event["step"] == DEPLOY;
    events
        .iter()
        .filter(of)
        .map(|e| (e["done"].as_u64().unwrap(), e["total"].as_u64().unwrap(), e["message"].as_str().unwrap()))
        .collect()
}

fn diff(events: &[Value]) -> Vec<&str> {
    let acting = events.iter().find(|event| event["event"] == "step.acting" && event["step"] == DEPLOY).unwrap();
    acting["diff"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
#[ignore = "needs root, the lab and a package index: cargo xtask test --tier kubespray"]
fn a_cluster_is_installed_left_alone_grown_upgraded_and_reset() {
    let bench = up("life", 4, &["n1", "n2", "n3"]);
    let events = applied(&bench, "changed");
    let moved = progress(&events);
    assert!(moved.iter().any(|(_, total, message)| *total > 0 && message.starts_with("play ")), "{moved:?}");
    assert!(moved.windows(2).all(|pair| pair[0].0 <= pair[1].0 || pair[1].1 != pair[0].1), "{moved:?}");
    let given: Value =
        serde_json::from_str(&sh(&bench.lab.node("n2").unwrap(), "cat /etc/plinth-test/variables.json")).unwrap();
    assert_eq!(given["kube_version"], "v1.30.13");
    assert_eq!(given["plugin"], "calico");
    assert_eq!(given["ip"], bench.lab.node("n2").unwrap().address().to_string());
    assert_eq!(logs(&bench).len(), 1);
    nothing_left(&bench);

    applied(&bench, "unchanged");
    assert_eq!(logs(&bench).len(), 1, "no playbook was started");

    let labelled = text(&["n1", "n2", "n3"], "v1.30.13")
        .replace("workers: [n2, n3]", "workers: [n2, n3]\n  overrides:\n    n2: {labels: {rack: a}}");
    bench.site(&labelled);
    applied(&bench, "unchanged");

    sh(&bench.lab.node("n2").unwrap(), "rm /etc/plinth-test/prepared");
    bench.site(&text(&["n1", "n2", "n3", "n4"], "v1.30.13"));
    let events = applied(&bench, "changed");
    assert_eq!(diff(&events), ["+ host n4", "→ scale.yml: only these workers are touched"]);
    assert_eq!(sh(&bench.lab.node("n4").unwrap(), "cat /etc/plinth-test/joined"), "v1.30.13\n");
    sh(&bench.lab.node("n2").unwrap(), "test ! -e /etc/plinth-test/prepared");

    bench.site(&text(&["n1", "n2", "n3", "n4"], "v1.31.9"));
    sh(&bench.lab.node("n2").unwrap(), "touch /etc/plinth-test/prepared");
    let events = applied(&bench, "changed");
    assert!(diff(&events).last().unwrap().starts_with("→ upgrade-cluster.yml"), "{:?}", diff(&events));
    let total = progress(&events).iter().map(|(_, total, _)| *total).max().unwrap();
    assert!(total >= 1_500, "every task of the upgrade is known beforehand: {total}");
    assert_eq!(sh(&bench.lab.node("n3").unwrap(), "cat /etc/plinth-test/joined"), "v1.31.9\n");

    bench.site(&text(&["n1", "n2", "n3"], "v1.31.9"));
    let (events, _) = bench.apply();
    assert_eq!(deployed(&events)["finding"]["code"], "kubespray.host-left", "{:#}", deployed(&events));
    looked_at_and_reset(&bench);
}

/// What contacts no node, then the removal of one, then of all.
fn looked_at_and_reset(bench: &crate::support::Bench) {
    let all = ["n1", "n2", "n3", "n4"];
    bench.site(&text(&all, "v1.31.9"));
    applied(bench, "unchanged");
    let client = client(&bench.state());
    let run =
        |play: Play| PlayRun { release: release("v2.27.1"), play, targets: targets(bench, &all), inputs: last(bench) };
    recovered(bench, &client, &run);
    let four = NodeName::new("n4").unwrap();
    let remove = run(Play::Remove { nodes: vec![four.clone()], reachable: true });
    let work = async || {
        for play in client.preview(&quiet(), &remove).await.unwrap() {
            assert_eq!(play.hosts, ["n4"], "{play:?}");
        }
        let nobody = run(Play::Remove { nodes: Vec::new(), reachable: true });
        assert!(client.preview(&quiet(), &nobody).await.is_err() && client.play(&quiet(), &nobody).await.is_err());
        assert_eq!(client.validate_inventory(&quiet(), &release("v2.27.1")).await.unwrap(), None);
        let downloads = client.downloads(&quiet(), &release("v2.27.1")).await.unwrap();
        assert_eq!(downloads.len(), 7, "{downloads:#?}");
        assert!(
            matches!(&downloads[0].what, Artifact::File { dest, sha256: Some(_), .. } if dest == "kubelet-v1.31.9-amd64")
        );
        assert!(downloads[1].enabled && !downloads[2].enabled, "{downloads:#?}");
        let stats = client.play(&quiet(), &remove).await.unwrap();
        assert!(remove.accepts(&stats), "{stats:?}");
        assert!(!last(bench).hosts.contains_key(&four) && record(bench).begun.is_none());
        let reset = run(Play::Reset);
        let stats = client.play(&quiet(), &reset).await.unwrap();
        assert!(reset.accepts(&stats), "{stats:?}");
        assert_eq!(FileRecords::of(&bench.state()).read().unwrap(), None);
    };
    bench.lab.inside(|| runtime().block_on(work())).unwrap();
    for node in bench.lab.nodes() {
        sh(&node, "test ! -e /etc/plinth-test/joined");
    }
}

/// The control plane is reset and taken in again, while a worker does not answer.
fn recovered(bench: &crate::support::Bench, client: &LocalAnsible, run: &dyn Fn(Play) -> PlayRun) {
    let one = NodeName::new("n1").unwrap();
    let recover = run(Play::Recover { nodes: vec![one.clone()], reset: vec![one] });
    let nobody = run(Play::Recover { nodes: Vec::new(), reset: Vec::new() });
    let (one, four) = (bench.lab.node("n1").unwrap(), bench.lab.node("n4").unwrap());
    sh(&one, "touch /etc/plinth-test/left");
    let before = last(bench);
    four.cut().unwrap();
    let work = async || {
        assert!(client.play(&quiet(), &nobody).await.is_err());
        let stats = client.play(&quiet(), &recover).await.unwrap();
        assert!(recover.accepts(&stats) && !stats.hosts.contains_key("n4"), "{stats:?}");
    };
    bench.lab.inside(|| runtime().block_on(work())).unwrap();
    four.fix().unwrap();
    assert_eq!(sh(&one, "cat /etc/plinth-test/recovered"), "v1.31.9\n");
    sh(&one, "test ! -e /etc/plinth-test/left");
    for worker in ["n2", "n3", "n4"] {
        sh(&bench.lab.node(worker).unwrap(), "test ! -e /etc/plinth-test/recovered");
    }
    assert!(last(bench) == before && record(bench).begun.is_none());
}

#[test]
#[ignore = "needs root, the lab and a package index: cargo xtask test --tier kubespray"]
fn the_second_opinion_is_asked_where_there_is_one() {
    let bench = up("opinion", 1, &["n1"]);
    let state = bench.state();
    let written = |version: &str| {
        let inventory = serde_json::json!({"all": {
            "hosts": {"n1": {"ansible_host": "192.0.2.1", "ip": "192.0.2.1"}},
            "children": {"kube_control_plane": {"hosts": {"n1": {}}}, "etcd": {"hosts": {"n1": {}}}, "kube_node": {"hosts": {}}},
        }});
        let variables = serde_json::json!({"kube_version": version});
        [("kubespray/inventory/hosts.json", inventory), ("kubespray/inventory/group_vars/all/plinth.json", variables)]
            .map(|(name, value)| (name.to_owned(), value.to_string()))
            .into()
    };
    let client = client(&state);
    runtime().block_on(async {
        let newer = release("v2.28.1");
        client.fetch_source(&quiet(), &newer).await.unwrap();
        client.write_inventory(&quiet(), &written("v1.31.9")).await.unwrap();
        assert_eq!(client.validate_inventory(&quiet(), &newer).await.unwrap(), Some(Vec::new()));
        client.write_inventory(&quiet(), &written("1.31.9")).await.unwrap();
        let Some(complaints) = client.validate_inventory(&quiet(), &newer).await.unwrap() else { panic!("no opinion") };
        assert!(complaints.iter().any(|line| line.contains("kube_version 1.31.9 has no v")), "{complaints:#?}");
    });
}
