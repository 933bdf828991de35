//! Releases of Helm: done, blocked, installed, waited for.

use super::*;
use plinth_world::helm::Drift;

#[tokio::test]
async fn a_release_is_done_when_nothing_differs_and_it_works() {
    let work = helm_release();
    let bench = Bench::new();
    bench.fake.on("differences", Vec::<String>::new()).on("drift", Drift::default()).on("health", health(true));
    assert_eq!(done(bench.look(&work).await), "gpu-operator 1.0.0 is deployed, 1 proof checked");
    bench.fake.on("differences", vec!["~ driver.enabled true → false".to_owned()]).on("release", deployed("1.0.0"));
    assert_eq!(todo(bench.look(&work).await), ["~ driver.enabled true → false"], "its health is not asked for then");
    bench.fake.on("differences", Vec::<String>::new()).on("drift", Drift::default()).on("health", health(false));
    assert_eq!(todo(bench.look(&work).await), ["! Deployment operator: 0/1 ready"]);
}

#[tokio::test]
async fn objects_that_somebody_changed_are_to_do_and_put_right_and_what_is_set_again_is_told() {
    let (work, bench) = (helm_release(), Bench::new());
    let line = || "~ Deployment gpu/operator: spec.replicas 2 → 1, set by kubectl-edit".to_owned();
    let changed = || Drift { lines: vec![line()], ..Drift::default() };
    bench.fake.on("differences", Vec::<String>::new()).on("drift", changed());
    assert_eq!(todo(bench.look(&work).await), [line()], "its health is not asked for then");
    bench.fake.on("differences", Vec::<String>::new()).on("drift", changed()).on("upgrade", vec![line()]);
    bench.fake.on("health", health(true));
    assert!(bench.act(&work).await.unwrap().contains("spec.replicas"), "what was put right is told");
    let again = Drift { left: vec![line()], unseen: vec!["Tenant: forbidden".to_owned()], ..Drift::default() };
    bench.fake.on("differences", Vec::<String>::new()).on("drift", again).on("health", health(true));
    let seen = bench.look(&work).await.unwrap();
    let codes: Vec<&str> = seen.notes.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["helm.objects-left", "helm.objects-unseen"]);
    assert!(matches!(seen.probe, Probe::Done(_)), "nobody fights: {:?}", seen.probe);
    bench.fake.assert_used_up();
}

fn deployed(version: &str) -> Option<ReleaseState> {
    let (version, status) = (version.parse().unwrap(), "deployed".to_owned());
    Some(ReleaseState { version, status, revision: 1, since: Timestamp::UNIX_EPOCH, first_deployed: None })
}

#[tokio::test]
async fn an_older_version_than_the_deployed_one_blocks_unless_the_site_names_it() {
    let bench = Bench::new();
    let there = || {
        bench.fake.on("differences", vec!["~ version 1.2.0 → 1.0.0".to_owned()]).on("release", deployed("1.2.0"));
    };
    there();
    assert_eq!(blocked(bench.look(&helm_release()).await).code, "helm.older-version");
    there();
    assert_eq!(refused(bench.act(&helm_release()).await).code, "helm.older-version");
    let named = Release { named_by_site: true, ..release("1.0.0") };
    let named = Work::HelmRelease(HelmRelease { release: Box::new(named), stage: Stage::Platform });
    there();
    assert_eq!(todo(bench.look(&named).await), ["~ version 1.2.0 → 1.0.0"]);
    bench.fake.assert_used_up();
}

#[tokio::test]
async fn a_release_is_installed_once_and_then_waited_for() {
    let work = helm_release();
    let bench = Bench::new();
    bench.fake.on("differences", vec!["+ release".to_owned()]).on("release", None::<ReleaseState>);
    bench.fake.on("upgrade", vec!["a Job was removed".to_owned()]);
    for holds in [false, false, true] {
        bench.fake.on("health", health(holds));
    }
    assert_eq!(bench.act(&work).await.unwrap(), "gpu-operator 1.0.0 installed, and it works; a Job was removed");
    assert_eq!(bench.clock.elapsed(), deadlines::POLL_FIRST * 2, "nothing changed: it is looked at again in time");

    let sick = Bench::new();
    sick.fake.on("differences", Vec::<String>::new()).on("drift", Drift::default());
    for _ in 0..crate::steps::wait::looks(Duration::from_secs(u64::from(release("1").timeout_s) + 300)) {
        sick.fake.on("health", health(false));
    }
    let finding = refused(sick.act(&work).await);
    assert_eq!(finding.code, "platform.not-healthy");
    assert!(finding.evidence.contains(&"! Deployment operator: 0/1 ready".to_owned()), "{:?}", finding.evidence);
    assert!(!sick.fake.calls().contains(&"upgrade"), "a release that helm has as wanted is not installed again");
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_progress_says_what_is_waited_for() {
    let (work, bench) = (helm_release(), Bench::new());
    bench.fake.on("differences", Vec::<String>::new()).on("drift", Drift::default());
    let pulls = "pod operator-1 pulls image r.example/a:1".to_owned();
    *bench.fake.waits.lock().unwrap() = vec![vec![pulls.clone()], Vec::new()];
    for holds in [false, false, true] {
        bench.fake.on("health", health(holds));
    }
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = Arc::clone(&told);
    let ctx =
        plinth_world::Context::new(bench.clock.clone(), move |progress| list.lock().unwrap().push(progress.message));
    let env = crate::behaviour::StepEnv::new(
        ctx,
        bench.fake.clients(),
        Arc::new(plinth_world::secrets::MemorySecrets::default()),
    );
    Kinds.act(&step(&work), &env).await.unwrap();
    assert_eq!(bench.clock.elapsed(), Duration::ZERO, "nobody waited for the next look");
    let want = format!("waits at most 15 min: Deployment operator: 0/1 ready; {pulls}");
    assert_eq!(told.lock().unwrap().last(), Some(&want));
    bench.fake.assert_used_up();
}

#[test]
fn a_step_with_helm_has_time_for_all_that_it_contains() {
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap();
    let (release, margin) = (release("1"), seconds(deadlines::HELM_MARGIN));
    let fetched = 2 * u32::try_from(deadlines::CHART_TRIES).unwrap() * seconds(deadlines::CHART_REQUEST);
    let before = fetched + seconds(deadlines::HELM_CRDS_SERVED) + seconds(deadlines::HELM_JOBS_GONE);
    // An uninstallation, helm, and health.
    let all = before + 2 * (release.timeout_s + margin) + release.timeout_s + 300;
    assert!(helm_release().deadline_s() >= all + seconds(deadlines::HELM_STOPS), "{all}");
    let name = |name: &str| plinth_model::ReleaseName { namespace: "n".into(), name: name.into() };
    let parts = plinth_model::Parts { releases: [name("a"), name("b")].into(), ..plinth_model::Parts::default() };
    let removal =
        plinth_model::steps::ComponentRemoval { parts, timeout_s: 600, loses: String::new(), stage: Stage::Platform };
    let all = 600 + 2 * (600 + margin + seconds(deadlines::HELM_STOPS));
    assert!(Work::from(removal).deadline_s() >= all, "{all}");
}
