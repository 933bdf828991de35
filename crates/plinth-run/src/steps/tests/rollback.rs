//! Going back to a revision that worked, and naming that way.

use super::*;
use plinth_model::steps::{CrdPolicy, Health, HelmRelease, HelmRollback, Release};
use plinth_model::{ReleaseName, Stage};
use plinth_world::helm::ReleaseState;
use plinth_world::kube::HealthState;

fn proof() -> Vec<Health> {
    vec![Health::Workload { kind: "Deployment".to_owned(), name: "web".to_owned() }]
}

fn rollback() -> Work {
    HelmRollback {
        component: "web".to_owned(),
        release: ReleaseName { namespace: "n".to_owned(), name: "web".to_owned() },
        to: 2,
        version: "1.2.3".parse().unwrap(),
        timeout_s: 60,
        health: proof(),
        stage: Stage::Platform,
    }
    .into()
}

fn release() -> Work {
    let release = Release {
        component: "web".to_owned(),
        release: "web".to_owned(),
        namespace: "n".to_owned(),
        chart: "web".to_owned(),
        repository: String::new(),
        login: None,
        version: "1.3.0".parse().unwrap(),
        digest: None,
        manifest_digest: None,
        values: serde_json::json!({}).try_into().unwrap(),
        crds: CrdPolicy::None,
        timeout_s: 60,
        health: proof(),
        stale_jobs: Vec::new(),
        remove_first: Vec::new(),
        upgrades_from: None,
        meaning_of: None,
        named_by_site: false,
        upgrade_path: None,
        of_objects: false,
    };
    HelmRelease { release: Box::new(release), stage: Stage::Platform }.into()
}

fn health(holds: bool) -> HealthState {
    HealthState { holds, seen: "0/1 ready".to_owned() }
}

fn history(statuses: &[&str]) -> Vec<ReleaseState> {
    let state = |(revision, status): (u32, &&str)| ReleaseState {
        version: "1.2.3".parse().unwrap(),
        status: (*status).to_owned(),
        revision,
        since: jiff::Timestamp::UNIX_EPOCH,
        first_deployed: None,
    };
    (1..).zip(statuses).map(state).collect()
}

#[tokio::test]
async fn it_is_done_when_nothing_differs_and_it_works() {
    let (work, bench) = (rollback(), Bench::new());
    bench.fake.on("differences_to_revision", vec!["~ status failed → deployed".to_owned()]);
    assert_eq!(todo(bench.look(&work).await), ["~ status failed → deployed"]);
    bench.fake.on("differences_to_revision", Vec::<String>::new()).on("health", health(false));
    assert_eq!(todo(bench.look(&work).await), ["! Deployment web: 0/1 ready"]);
    bench.fake.on("differences_to_revision", Vec::<String>::new()).on("health", health(true));
    assert_eq!(done(bench.look(&work).await), "n/web is as revision 2 was, chart 1.2.3");
}

#[tokio::test]
async fn it_goes_back_and_waits_until_that_works() {
    let (work, bench) = (rollback(), Bench::new());
    bench.fake.on("rollback", vec!["a revision was marked".to_owned()]);
    bench.fake.on("health", health(false)).on("health", health(true));
    let said = bench.act(&work).await.unwrap();
    assert_eq!(said, "n/web went back to revision 2, chart 1.2.3, and it works; a revision was marked");

    let sick = Bench::new();
    sick.fake.on("rollback", Vec::<String>::new());
    for _ in 0..crate::steps::wait::looks(Duration::from_secs(60 + 300)) {
        sick.fake.on("health", health(false));
    }
    assert_eq!(refused(sick.act(&work).await).code, "platform.not-healthy");
}

#[tokio::test]
async fn a_failure_names_the_way_back_and_does_not_take_it() {
    let failed = || {
        let finding = Finding::error(plinth_model::finding::code::HELM_FAILED, "n/web", "helm says no").fix("mend it");
        ClientError::new("helm", "installing").happened("helm says no").attempt("mend it").finding(finding)
    };
    let way = "revision 2 (chart 1.2.3) worked: `plinth rollback web` goes back to it, after showing the plan";
    for (statuses, named) in [
        (&["superseded", "deployed", "failed"][..], true),
        // Going back from 3 failed, so helm calls 3 superseded although it never worked.
        (&["superseded", "deployed", "superseded", "failed"], true),
        (&["failed"], false),
        (&["failed", "failed"], false),
    ] {
        let bench = Bench::new();
        bench.fake.on("differences", vec!["~ version 1.2.3 → 1.3.0".to_owned()]).on("release", None::<ReleaseState>);
        bench.fake.fails::<Vec<String>>("upgrade", failed()).on("history", history(statuses));
        let error = bench.act(&release()).await.unwrap_err();
        assert_eq!(error.attempt.ends_with(way), named, "{statuses:?}: {}", error.attempt);
        assert_eq!(error.finding.unwrap().fix.ends_with(way), named, "{statuses:?}");
        assert!(!bench.fake.calls().contains(&"rollback"));
        // A plan names it, too.
        let lines = vec!["~ version 1.2.3 → 1.3.0".to_owned(), "~ status failed → deployed".to_owned()];
        bench.fake.on("differences", lines).on("release", None::<ReleaseState>).on("history", history(statuses));
        let told = todo(bench.look(&release()).await);
        assert_eq!(told.last().is_some_and(|line| line.ends_with(way)), named, "{told:?}");
    }
    // Nothing was written, so there is nothing to go back from.
    let bench = Bench::new();
    bench.fake.on("differences", vec!["~ version 1.2.3 → 1.3.0".to_owned()]).on("release", None::<ReleaseState>);
    bench.fake.fails::<Vec<String>>("upgrade", failed()).on("history", history(&["superseded", "deployed"]));
    assert_eq!(bench.act(&release()).await.unwrap_err().attempt, "mend it");
    // What may pass is tried again first.
    let bench = Bench::new();
    bench.fake.on("differences", vec!["~ version 1.2.3 → 1.3.0".to_owned()]).on("release", None::<ReleaseState>);
    bench.fake.fails::<Vec<String>>("upgrade", failed().transient("it comes back"));
    assert_eq!(bench.act(&release()).await.unwrap_err().attempt, "mend it");
}
