use super::cluster::{at, kube_node, kubespray, parts, stats};
use super::*;
use plinth_model::engine::{Begun, KubesprayRecord, Play};
use plinth_model::steps::{KubesprayRemoval, NodeLeftovers, Removal};
use plinth_world::kube::KubeNode;
use plinth_world::node::Leftovers;

fn removal(removal: Removal) -> Work {
    let targets = vec![at("cpu-03"), at("dgx-05")];
    Work::KubesprayRemoval(KubesprayRemoval { release: kubespray(), targets, removal, parts: parts() })
}

fn worker(reachable: bool) -> Work {
    removal(Removal::Nodes { nodes: vec![node("dgx-05")], reachable })
}

fn deployed() -> Option<EngineRecord> {
    recorded(KubesprayRecord { last: Some(parts()), begun: None, at: None })
}

fn running(what: &[&str]) -> Leftovers {
    Leftovers { running: what.iter().map(|name| (*name).to_owned()).collect(), left: Vec::new() }
}

#[tokio::test]
async fn a_reset_is_done_when_no_host_runs_kubernetes_and_none_is_recorded() {
    let bench = Bench::new();
    bench.fake.on("record", deployed()).on("leftovers", running(&["kubelet", "etcd"])).on("leftovers", running(&[]));
    let lines = todo(bench.look(&removal(Removal::All)).await);
    assert_eq!(
        lines,
        ["- cpu-03, which was deployed", "- dgx-05, which was deployed", "- kubelet, etcd on cpu-03"],
        "the record and the hosts both count"
    );
    bench.fake.on("record", None::<EngineRecord>).on("leftovers", running(&[])).on("leftovers", running(&["kubelet"]));
    assert_eq!(todo(bench.look(&removal(Removal::All)).await), ["- kubelet on dgx-05"], "no record is no proof");
    let begun = Begun { play: Play::Reset, inputs: parts(), since: None };
    bench.fake.on("record", recorded(KubesprayRecord { last: None, begun: Some(begun), at: None }));
    bench.fake.on("leftovers", running(&[])).on("leftovers", running(&[]));
    assert_eq!(todo(bench.look(&removal(Removal::All)).await), ["! an earlier reset.yml did not end"]);
    bench.fake.on("record", None::<EngineRecord>).on("leftovers", running(&[])).on("leftovers", running(&[]));
    done(bench.look(&removal(Removal::All)).await);
}

#[tokio::test]
async fn where_nothing_of_kubernetes_is_left_only_the_record_goes_and_no_play_runs() {
    let bench = Bench::new();
    bench.fake.on("record", deployed());
    let lines = todo(bench.look(&removal(Removal::Unprovisioned)).await);
    assert_eq!(lines, ["- cpu-03, which was deployed", "- dgx-05, which was deployed"], "nodes are not asked again");
    bench.fake.on("record", deployed()).on("forget", ());
    let said = bench.act(&removal(Removal::Unprovisioned)).await.unwrap();
    assert_eq!(said, "the record of the cluster is gone; nothing of it was on the nodes");
    bench.fake.on("record", None::<EngineRecord>);
    done(bench.look(&removal(Removal::Unprovisioned)).await);
}

#[tokio::test]
async fn a_worker_has_left_when_the_cluster_and_the_worker_say_so() {
    let bench = Bench::new();
    let nothing = || None::<EngineRecord>;
    bench.fake.on("record", nothing()).on("node", kube_node(true, "v1.31.9")).on("leftovers", running(&[]));
    assert_eq!(todo(bench.look(&worker(true)).await), ["- node dgx-05 of the cluster"]);
    bench.fake.on("record", nothing()).on("node", None::<KubeNode>).on("leftovers", running(&["kubelet"]));
    assert_eq!(todo(bench.look(&worker(true)).await), ["- kubelet on dgx-05"]);
    // One that does not answer is not asked.
    bench.fake.on("record", nothing()).on("node", None::<KubeNode>);
    done(bench.look(&worker(false)).await);
    bench
        .fake
        .on("record", nothing())
        .fails::<Option<KubeNode>>("node", ClientError::new("fake", "looking").happened("away").attempt("look"));
    assert!(bench.look(&worker(true)).await.is_err(), "unknown is not absent");
}

#[tokio::test]
async fn a_removal_is_judged_by_its_final_statistics() {
    let bench = Bench::new();
    bench.fake.on("record", deployed()).on("play", stats(&[("dgx-05", 0, 0)]));
    assert_eq!(bench.act(&worker(true)).await.unwrap(), "remove-node.yml: 1 host");
    bench.fake.on("record", deployed()).on("play", stats(&[("cpu-03", 0, 0)]));
    assert_eq!(refused(bench.act(&removal(Removal::All)).await).code, "kubespray.host-failed");
}

#[tokio::test]
async fn what_is_left_is_cleared_only_where_nothing_runs() {
    let bench = Bench::new();
    let work = Work::NodeLeftovers(NodeLeftovers { target: target() });
    bench
        .fake
        .on("leftovers", Leftovers { running: Vec::new(), left: vec!["program /usr/local/bin/etcdutl".to_owned()] });
    assert_eq!(todo(bench.look(&work).await), ["- program /usr/local/bin/etcdutl"]);
    bench.fake.on("leftovers", running(&[]));
    done(bench.look(&work).await);
    bench.fake.on("leftovers", running(&["kubelet"]));
    assert_eq!(todo(bench.look(&work).await), ["- kubelet"], "before a removal that is no fault");
    bench.fake.on("leftovers", running(&["kubelet"]));
    assert_eq!(refused(bench.act(&work).await).code, "node.kubernetes-runs", "and nothing is cleared");
    bench.fake.on("leftovers", running(&[])).on("clear_leftovers", ());
    bench.act(&work).await.unwrap();
}
