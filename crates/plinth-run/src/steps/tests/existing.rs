//! Taking a cluster over.

use super::*;
use plinth_model::engine::ExistingRecord;
use plinth_model::steps::TakeOver;
use plinth_world::kube::{ClusterMark, GivenConfig, HeldConfig, KubeNode};

const SERVER: &str = "https://10.0.0.1:6443";

fn version(text: &str) -> plinth_model::Version {
    text.parse().unwrap()
}

fn work(wanted: Option<&str>) -> Work {
    TakeOver { file: "admin.conf".to_owned(), version: wanted.map(version), nodes: vec![node("dgx-05")] }.into()
}

fn record(server: &str, kubernetes: &str) -> Option<EngineRecord> {
    let at = jiff::Timestamp::UNIX_EPOCH;
    let members = ["dgx-05".to_owned()].into();
    Some(EngineRecord::Existing(ExistingRecord {
        server: server.to_owned(),
        kubernetes: version(kubernetes),
        members,
        at,
    }))
}

fn nodes(names: &[&str]) -> indexmap::IndexMap<String, KubeNode> {
    names.iter().map(|name| ((*name).to_owned(), KubeNode::default())).collect()
}

fn given(held: bool) -> GivenConfig {
    GivenConfig { server: SERVER.to_owned(), held }
}

fn held(refused: Option<&str>) -> Option<HeldConfig> {
    Some(HeldConfig { server: SERVER.to_owned(), refused: refused.map(str::to_owned) })
}

#[tokio::test]
async fn it_is_done_when_the_copy_works_and_the_record_says_so() {
    let bench = Bench::new();
    let answers = |before: Option<EngineRecord>, held: bool| {
        bench.fake.on("record", before).on("given", given(held)).on("version", version("v1.31.9"));
        bench.fake.on("mark", if held { ClusterMark::Ours } else { ClusterMark::Absent });
    };
    answers(None, false);
    assert_eq!(
        todo(bench.look(&work(None)).await),
        [
            "+ mark of this state directory in the map plinth-site in kube-system",
            "+ kubeconfig for https://10.0.0.1:6443",
            "+ record: Kubernetes v1.31.9 at https://10.0.0.1:6443"
        ]
    );
    answers(record(SERVER, "v1.31.9"), true);
    bench.fake.on("kubeconfig", held(None)).on("nodes", nodes(&["dgx-05"]));
    assert_eq!(done(bench.look(&work(Some("v1.31.9"))).await), "https://10.0.0.1:6443 answers, Kubernetes v1.31.9");
    answers(record(SERVER, "v1.31.9"), true);
    bench.fake.on("kubeconfig", held(Some("our certificate expired")));
    assert_eq!(todo(bench.look(&work(None)).await), ["~ kubeconfig: our certificate expired"]);
    answers(record(SERVER, "v1.30.4"), true);
    bench.fake.on("kubeconfig", held(None)).on("nodes", nodes(&["dgx-05"]));
    assert_eq!(todo(bench.look(&work(None)).await).len(), 1, "its owner upgraded it");
    answers(record(SERVER, "v1.31.9"), true);
    bench.fake.on("kubeconfig", held(None)).on("nodes", nodes(&["dgx-06", "cpu.internal"]));
    assert_eq!(todo(bench.look(&work(None)).await), ["~ record: nodes +cpu.internal +dgx-06 -dgx-05"]);
}

#[tokio::test]
async fn a_node_that_the_cluster_does_not_know_is_told() {
    let bench = Bench::new();
    let mut before = record(SERVER, "v1.31.9");
    if let Some(EngineRecord::Existing(before)) = &mut before {
        before.members = ["dgx-06".to_owned()].into();
    }
    bench.fake.on("record", before).on("given", given(true)).on("mark", ClusterMark::Ours);
    bench.fake.on("version", version("v1.31.9")).on("kubeconfig", held(None)).on("nodes", nodes(&["dgx-06"]));
    let seen = bench.look(&work(None)).await.unwrap();
    assert!(matches!(seen.probe, Probe::Done(_)), "{seen:?}");
    let told: Vec<_> = seen.notes.iter().map(|note| (note.code.as_str(), note.subject.as_str())).collect();
    assert_eq!(told, [("kubernetes.node-unknown", "dgx-05")]);
}

#[tokio::test]
async fn a_cluster_that_another_state_directory_manages_is_left_alone() {
    let bench = Bench::new();
    let theirs = "by anna@bastion, directory /state, since 2026-11-29T02:13:05Z";
    bench
        .fake
        .on("record", None::<EngineRecord>)
        .on("given", given(false))
        .on("mark", ClusterMark::Other(theirs.into()));
    let finding = blocked(bench.look(&work(None)).await);
    assert_eq!(finding.code.as_str(), "kubernetes.managed-elsewhere");
    assert!(finding.message.contains(theirs) && finding.fix.contains("--take-over"), "{finding:?}");
    assert_eq!(bench.fake.calls(), ["record", "given", "mark"], "nothing else is asked");
}

#[tokio::test]
async fn another_version_and_another_engine_stop_it() {
    let bench = Bench::new();
    bench.fake.on("record", None::<EngineRecord>).on("given", given(false)).on("version", version("v1.30.4"));
    bench.fake.on("mark", ClusterMark::Absent);
    assert_eq!(blocked(bench.look(&work(Some("v1.31.9"))).await).code.as_str(), "kubernetes.other-version");
    bench.fake.on("record", recorded(KubesprayRecord::default()));
    assert_eq!(blocked(bench.look(&work(None)).await).code.as_str(), "kubernetes.engine-changed");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_an_error_and_never_nothing() {
    let bench = Bench::new();
    let broken = || ClientError::new("engine", "reading the record").happened("broken").attempt("look at it");
    bench.fake.fails::<Option<EngineRecord>>("record", broken());
    assert_eq!(bench.look(&work(None)).await.unwrap_err().happened, "broken");
}

#[tokio::test]
async fn the_record_is_kept_only_after_the_copy_was() {
    let bench = Bench::new();
    let answers = || {
        bench.fake.on("given", given(false)).on("version", version("v1.31.9"));
    };
    answers();
    bench.fake.on("take_over", ()).on("nodes", nodes(&["dgx-05"])).on("keep", ());
    assert_eq!(bench.act(&work(None)).await.unwrap(), "https://10.0.0.1:6443 taken over, Kubernetes v1.31.9 on 1 node");
    assert_eq!(*bench.fake.kept.lock().unwrap(), [record(SERVER, "v1.31.9").unwrap()]);
    answers();
    bench.fake.fails::<()>(
        "take_over",
        ClientError::new("kube", "trying it").happened("it does not work").attempt("another one"),
    );
    assert!(bench.act(&work(None)).await.is_err());
    assert_eq!(bench.fake.kept.lock().unwrap().len(), 1);
}
