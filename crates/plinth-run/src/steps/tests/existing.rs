//! Taking a cluster over.

use super::*;
use plinth_model::engine::ExistingRecord;
use plinth_model::steps::TakeOver;
use plinth_world::kube::{GivenConfig, HeldConfig};

const SERVER: &str = "https://10.0.0.1:6443";

fn version(text: &str) -> plinth_model::Version {
    text.parse().unwrap()
}

fn work(wanted: Option<&str>) -> Work {
    TakeOver { file: "admin.conf".to_owned(), version: wanted.map(version) }.into()
}

fn record(server: &str, kubernetes: &str) -> Option<EngineRecord> {
    let at = jiff::Timestamp::UNIX_EPOCH;
    Some(EngineRecord::Existing(ExistingRecord { server: server.to_owned(), kubernetes: version(kubernetes), at }))
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
    };
    answers(None, false);
    assert_eq!(
        todo(bench.look(&work(None)).await),
        ["+ kubeconfig for https://10.0.0.1:6443", "+ record: Kubernetes v1.31.9 at https://10.0.0.1:6443"]
    );
    answers(record(SERVER, "v1.31.9"), true);
    bench.fake.on("kubeconfig", held(None));
    assert_eq!(done(bench.look(&work(Some("v1.31.9"))).await), "https://10.0.0.1:6443 answers, Kubernetes v1.31.9");
    answers(record(SERVER, "v1.31.9"), true);
    bench.fake.on("kubeconfig", held(Some("our certificate expired")));
    assert_eq!(todo(bench.look(&work(None)).await), ["~ kubeconfig: our certificate expired"]);
    answers(record(SERVER, "v1.30.4"), true);
    bench.fake.on("kubeconfig", held(None));
    assert_eq!(todo(bench.look(&work(None)).await).len(), 1, "its owner upgraded it");
}

#[tokio::test]
async fn another_version_and_another_engine_stop_it() {
    let bench = Bench::new();
    bench.fake.on("record", None::<EngineRecord>).on("given", given(false)).on("version", version("v1.30.4"));
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
    bench.fake.on("take_over", ()).on("keep", ());
    assert_eq!(bench.act(&work(None)).await.unwrap(), "https://10.0.0.1:6443 taken over, Kubernetes v1.31.9");
    assert_eq!(*bench.fake.kept.lock().unwrap(), [record(SERVER, "v1.31.9").unwrap()]);
    answers();
    bench.fake.fails::<()>(
        "take_over",
        ClientError::new("kube", "trying it").happened("it does not work").attempt("another one"),
    );
    assert!(bench.act(&work(None)).await.is_err());
    assert_eq!(bench.fake.kept.lock().unwrap().len(), 1);
}
