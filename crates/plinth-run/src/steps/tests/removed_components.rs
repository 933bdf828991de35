//! Components that were switched off.

use super::*;
use plinth_model::steps::ComponentRemoval;
use plinth_model::{ObjectName, Parts, ReleaseName};
use plinth_world::helm::ReleaseState;

fn pool() -> ObjectName {
    ObjectName {
        api_version: "metallb.io/v1beta1".into(),
        kind: "IPAddressPool".into(),
        namespace: "metallb-system".into(),
        name: "platform".into(),
    }
}

fn work() -> Work {
    let release = ReleaseName { namespace: "metallb-system".into(), name: "metallb".into() };
    let parts = Parts { component: "metallb".into(), releases: [release].into(), objects: [pool()].into() };
    ComponentRemoval { parts, timeout_s: 60, loses: "it".to_owned(), stage: plinth_model::Stage::Platform }.into()
}

fn state() -> ReleaseState {
    let since = jiff::Timestamp::UNIX_EPOCH;
    ReleaseState {
        version: "0.14.9".parse().unwrap(),
        status: "deployed".into(),
        revision: 1,
        since,
        first_deployed: None,
    }
}

#[tokio::test]
async fn it_is_done_when_neither_objects_nor_releases_are_left() {
    let bench = Bench::new();
    bench.fake.on("present", vec![pool()]).on("release", Some(state()));
    let lines = ["- IPAddressPool metallb-system/platform", "- release metallb-system/metallb 0.14.9"];
    assert_eq!(todo(bench.look(&work()).await), lines);
    bench.fake.on("present", Vec::<ObjectName>::new()).on("release", None::<ReleaseState>);
    assert_eq!(done(bench.look(&work()).await), "nothing of metallb is left");
}

#[tokio::test]
async fn what_could_not_be_seen_is_not_gone() {
    let bench = Bench::new();
    let away = ClientError::new("kube", "looking for objects").happened("forbidden").attempt("give the right");
    bench.fake.fails::<Vec<ObjectName>>("present", away);
    assert_eq!(bench.look(&work()).await.unwrap_err().happened, "forbidden");
}

#[tokio::test]
async fn objects_are_gone_before_the_release_that_may_clean_up_behind_them() {
    let bench = Bench::new();
    bench.fake.on("remove", ()).on("present", vec![pool()]).on("present", Vec::<ObjectName>::new()).on("uninstall", ());
    assert_eq!(bench.act(&work()).await.unwrap(), "1 object removed, metallb uninstalled, its namespace stays");
    assert_eq!(bench.fake.calls(), ["remove", "present", "present", "uninstall"]);
}

#[tokio::test]
async fn an_object_that_stays_keeps_the_release() {
    let bench = Bench::new();
    bench.fake.on("remove", ());
    for _ in 0..1000 {
        bench.fake.on("present", vec![pool()]);
    }
    let said = Kinds.act(&step(&work()), &bench.env()).await;
    let finding = refused(said);
    assert_eq!(finding.code.as_str(), "platform.not-removed");
    assert!(finding.evidence[0].contains("IPAddressPool"), "{finding:?}");
    assert!(!bench.fake.calls().contains(&"uninstall"));
}
