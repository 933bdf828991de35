use super::*;
use crate::behaviour::Again;
use plinth_model::finding::code;
use plinth_model::steps::{OrgUnit, RunaiConnected, RunaiIssuer, RunaiOrgUnit, RunaiRegister};
use plinth_world::deadlines;
use plinth_world::runai::{RunaiCluster, RunaiOrgUnit as Seen};

fn cluster(uuid: &str, state: &str, missing: &[&str]) -> RunaiCluster {
    RunaiCluster {
        uuid: uuid.to_owned(),
        state: state.to_owned(),
        missing: missing.iter().map(|m| (*m).to_owned()).collect(),
        unwell: Vec::new(),
        reported: None,
        gpu_nodes: Some(vec!["dgx-05".to_owned()]),
    }
}

#[tokio::test]
async fn the_issuer_is_compared_as_an_exact_text() {
    let work = Work::RunaiIssuer(RunaiIssuer { target: runai(), release: None });
    let right = "https://a.test:30443/auth/realms/runai";
    let bench = Bench::new();
    bench.fake.on("issuer", Some(right.to_owned())).on("up", ());
    done(bench.look(&work).await);
    for wrong in [
        "https://a.test/auth/realms/runai",
        "https://a.test:30443/auth/realms/runai/",
        "http://a.test:30443/auth/realms/runai",
    ] {
        bench.fake.on("issuer", Some(wrong.to_owned()));
        let finding = blocked(bench.look(&work).await);
        assert_eq!(finding.code, "runai.issuer-mismatch");
        assert!(finding.evidence[0].ends_with(right) && finding.evidence[1].ends_with(wrong), "{:?}", finding.evidence);
        assert!(finding.fix.contains("443"));
    }
    bench.fake.on("issuer", None::<String>);
    assert_eq!(todo(bench.look(&work).await).len(), 1);
    bench.fake.on("issuer", None::<String>).on("issuer", Some("other".to_owned()));
    assert_eq!(refused(bench.act(&work).await).code, "runai.issuer-mismatch", "a mismatch ends the wait at once");
    assert_eq!(bench.clock.elapsed(), deadlines::POLL_FIRST);
}

/// Keycloak alone is not the control plane: the administrator and the interface come later, and what the wait ends with is what they said.
#[tokio::test]
async fn the_control_plane_is_waited_for_to_its_last_part() {
    let work = Work::RunaiIssuer(RunaiIssuer { target: runai(), release: None });
    let right = || Some("https://a.test:30443/auth/realms/runai".to_owned());
    let early = || {
        let finding =
            plinth_model::Finding::error(code::RUNAI_CREDENTIALS, "a", "the login is refused").fix("check it");
        ClientError::new("runai", "looking").happened("401").attempt("wait").transient("not yet").finding(finding)
    };
    let bench = Bench::new();
    bench.fake.on("issuer", right()).fails::<()>("up", early());
    assert!(todo(bench.look(&work).await)[0].contains("401"));
    bench.fake.on("issuer", right()).fails::<()>("up", early()).on("issuer", right()).on("up", ());
    assert!(bench.act(&work).await.unwrap().contains("issuer is"));
    let refusing = Bench::new();
    let last = ClientError::new("runai", "looking").happened("401").attempt("check it");
    refusing.fake.on("issuer", right()).fails::<()>("up", last);
    assert_eq!(refusing.act(&work).await.unwrap_err().happened, "401", "a final answer ends the wait");
    let late = Bench::new();
    for _ in 0..looks(&work) {
        late.fake.on("issuer", right()).fails::<()>("up", early());
    }
    assert_eq!(refused(late.act(&work).await).code, "runai.credentials");
}

#[tokio::test]
async fn registration_is_decided_by_exact_name_and_kept_credentials() {
    let work = Work::RunaiRegister(RunaiRegister { target: runai(), release: None });
    let bench = Bench::new();
    bench.fake.on("clusters", Vec::<RunaiCluster>::new());
    assert_eq!(todo(bench.look(&work).await).len(), 2);
    bench.fake.on("clusters", vec![cluster("u1", "Connected", &[])]).on("credentials_kept", true);
    done(bench.look(&work).await);
    bench.fake.on("clusters", vec![cluster("u1", "Connected", &[])]).on("credentials_kept", false);
    assert!(todo(bench.look(&work).await)[0].contains("u1"));
    let twice = || vec![cluster("u1", "Connected", &[]), cluster("u2", "WaitingToConnect", &[])];
    bench.fake.on("clusters", twice());
    let finding = blocked(bench.look(&work).await);
    assert_eq!(finding.code, "runai.cluster-registered-twice");
    assert_eq!(finding.evidence, ["u1: Connected", "u2: WaitingToConnect"]);
    bench.fake.on("clusters", twice());
    assert_eq!(refused(bench.act(&work).await).code, "runai.cluster-registered-twice");
}

#[tokio::test]
async fn registering_happens_only_when_nobody_did_it_before() {
    let work = Work::RunaiRegister(RunaiRegister { target: runai(), release: None });
    let fresh = Bench::new();
    fresh
        .fake
        .on("clusters", Vec::<RunaiCluster>::new())
        .on("register", cluster("u1", "WaitingToConnect", &[]))
        .on("keep_credentials", None::<String>);
    assert!(fresh.act(&work).await.unwrap().contains("registered as u1"));
    let again = Bench::new();
    again.fake.on("clusters", vec![cluster("u1", "WaitingToConnect", &[])]).on("keep_credentials", None::<String>);
    assert!(again.act(&work).await.unwrap().contains("was registered already"));
    assert_eq!(again.fake.calls(), ["clusters", "keep_credentials"]);
    let refusing = Bench::new();
    let conflict = ClientError::new("runai", "registering")
        .happened("409: Resource with this name already exists")
        .attempt("list them");
    refusing.fake.on("clusters", Vec::<RunaiCluster>::new()).fails::<RunaiCluster>("register", conflict);
    assert!(refusing.act(&work).await.unwrap_err().happened.starts_with("409"));
    assert!(!refusing.fake.calls().contains(&"keep_credentials"));
}

#[tokio::test]
async fn a_cluster_that_does_not_connect_says_where_to_look() {
    let work = Work::RunaiConnected(RunaiConnected { target: runai(), next_report: false });
    let bench = Bench::new();
    bench.fake.on("clusters", vec![cluster("u", "MissingPrerequisites", &["prometheus"])]);
    assert_eq!(
        todo(bench.look(&work).await),
        ["~ state MissingPrerequisites → Connected", "! required dependency prometheus is missing"]
    );
    bench.fake.on("clusters", vec![cluster("u", "Connected", &[])]);
    assert_eq!(done(bench.look(&work).await), "Connected, 1 GPU node: dgx-05");
    let cases = [
        ("MissingPrerequisites", "runai-public"),
        ("ServiceIssues", "runaiconfigs.run.ai"),
        ("WaitingToConnect", "nothing ever arrived"),
        ("Disconnected", "assets-sync"),
    ];
    for (state, place) in cases {
        let bench = Bench::new();
        for _ in 0..=looks(&work) {
            bench.fake.on("clusters", vec![cluster("u", state, &[])]);
        }
        let finding = refused(bench.act(&work).await);
        assert_eq!(finding.code, "runai.not-connected");
        assert!(finding.fix.contains(place), "{state}: {}", finding.fix);
    }
}

#[tokio::test]
async fn waiting_for_a_cluster_that_is_not_registered_ends_at_once() {
    let bench = Bench::new();
    bench.fake.on("clusters", Vec::<RunaiCluster>::new());
    let finding =
        refused(bench.act(&Work::RunaiConnected(RunaiConnected { target: runai(), next_report: false })).await);
    assert_eq!(finding.code, "runai.cluster-not-registered");
    assert_eq!(bench.clock.elapsed(), Duration::ZERO);
    let later = Bench::new();
    later.fake.on("clusters", vec![cluster("u", "WaitingToConnect", &[])]);
    later
        .fake
        .on("clusters", vec![cluster("u", "WaitingToConnect", &[])])
        .on("clusters", vec![cluster("u", "Connected", &[])]);
    assert!(
        later
            .act(&Work::RunaiConnected(RunaiConnected { target: runai(), next_report: false }))
            .await
            .unwrap()
            .starts_with("Connected")
    );
}

fn project(gpus: u32) -> Work {
    let unit = OrgUnit { name: "team-a".to_owned(), department: Some("research".to_owned()), gpus };
    Work::RunaiOrgUnit(RunaiOrgUnit { target: runai(), unit })
}

fn seen(department: &str, gpus: f64) -> Option<Seen> {
    Some(Seen { id: "7".to_owned(), department: Some(department.to_owned()), gpus: Some(gpus) })
}

#[tokio::test]
async fn a_quota_that_differs_is_set_and_nothing_is_moved() {
    let bench = Bench::new();
    let there = |unit: Option<Seen>| {
        bench.fake.on("clusters", vec![cluster("u1", "Connected", &[])]).on("org_unit", unit);
    };
    there(None);
    assert_eq!(todo(bench.look(&project(8)).await), ["+ project team-a", "+ quota 8 GPUs"]);
    there(seen("research", 8.0));
    done(bench.look(&project(8)).await);
    there(seen("research", 7.5));
    assert_eq!(todo(bench.look(&project(8)).await), ["~ quota of project team-a: 7.5 → 8 GPUs"]);
    there(seen("other", 8.0));
    assert_eq!(blocked(bench.look(&project(8)).await).code, "runai.project-elsewhere");
    there(seen("other", 4.0));
    assert_eq!(refused(bench.act(&project(8)).await).code, "runai.project-elsewhere", "and its quota is left alone");
    bench.fake.on("clusters", Vec::<RunaiCluster>::new());
    assert_eq!(refused(bench.act(&project(8)).await).code, "runai.cluster-not-registered");
}

#[tokio::test]
async fn what_is_there_is_not_made_again() {
    for (found, calls) in [
        (None, vec!["clusters", "org_unit", "make_org_unit"]),
        (seen("research", 2.0), vec!["clusters", "org_unit", "set_quota"]),
        (seen("research", 8.0), vec!["clusters", "org_unit"]),
    ] {
        let bench = Bench::new();
        bench.fake.on("clusters", vec![cluster("u1", "Connected", &[])]).on("org_unit", found);
        match calls.last() {
            Some(&"make_org_unit") => drop(bench.fake.on("make_org_unit", seen("research", 8.0).unwrap())),
            Some(&"set_quota") => drop(bench.fake.on("set_quota", ())),
            _ => {}
        }
        assert!(bench.act(&project(8)).await.unwrap().ends_with("quota 8 GPUs"));
        assert_eq!(bench.fake.calls(), calls);
    }
}

#[tokio::test]
async fn behind_a_change_only_a_report_from_after_it_counts() {
    let work = Work::RunaiConnected(RunaiConnected { target: runai(), next_report: true });
    let at = |time: &str| vec![RunaiCluster { reported: Some(time.to_owned()), ..cluster("u", "Connected", &[]) }];
    let bench = Bench::new();
    bench.fake.on("clusters", at("12:00:00")).on("clusters", at("12:00:00")).on("clusters", at("12:00:10"));
    done(bench.look(&work).await);
    assert_eq!(bench.clock.elapsed(), deadlines::POLL * 2);
    let silent = Bench::new();
    let looks = 1 + deadlines::RUNAI_REPORT.as_secs() / deadlines::POLL.as_secs();
    for _ in 0..looks {
        silent.fake.on("clusters", at("12:00:00"));
    }
    assert_eq!(todo(silent.look(&work).await), ["~ no report since 12:00:00"]);
    let older = Bench::new();
    older.fake.on("clusters", vec![cluster("u", "Connected", &[])]);
    assert!(done(older.look(&work).await).contains("does not tell when it last reported"));
}

/// An entry went with the control plane that it was made in: what counts is since when the one that is there is there, however often it was
/// upgraded since.
#[tokio::test]
async fn an_entry_that_is_missing_is_told_with_since_when_its_control_plane_is_there() {
    let name = plinth_model::ReleaseName { namespace: "runai-backend".into(), name: "runai-backend".into() };
    let register = |release| Work::RunaiRegister(RunaiRegister { target: runai(), release });
    let bench = Bench::new();
    let now = bench.clock.now();
    let installed = now - std::time::Duration::from_secs(90 * 60);
    for (revision, first_deployed) in [(1, Some(installed)), (7, Some(installed)), (1, None)] {
        let deployed = plinth_world::helm::ReleaseState {
            version: "2.21.1".parse().unwrap(),
            status: "deployed".into(),
            revision,
            since: now,
            first_deployed,
        };
        bench.fake.on("clusters", Vec::<plinth_world::runai::RunaiCluster>::new()).on("release", Some(deployed));
        let again = first_deployed.map_or(Again::No, Again::Since);
        assert_eq!(bench.look(&register(Some(name.clone()))).await.unwrap().again, again, "revision {revision}");
    }
    bench.fake.on("clusters", Vec::<plinth_world::runai::RunaiCluster>::new());
    assert_eq!(bench.look(&register(None)).await.unwrap().again, Again::No, "one elsewhere");
}

#[tokio::test]
async fn a_control_plane_is_new_by_its_installation_and_not_by_its_last_revision() {
    let name = plinth_model::ReleaseName { namespace: "runai-backend".into(), name: "runai-backend".into() };
    let bench = Bench::new();
    let minutes = |minutes: u64| bench.clock.now() - std::time::Duration::from_secs(minutes * 60);
    // The second try of a first installation, which helm counts on and dates anew; an upgrade of one that is new, and of one that is old.
    for (revision, since, first_deployed, new) in
        [(2, minutes(1), minutes(3), true), (3, minutes(1), minutes(20), true), (5, minutes(1), minutes(90), false)]
    {
        let deployed = plinth_world::helm::ReleaseState {
            version: "2.21.1".parse().unwrap(),
            status: "deployed".into(),
            revision,
            since,
            first_deployed: Some(first_deployed),
        };
        bench.fake.on("release", Some(deployed));
        assert_eq!(crate::steps::runai::is_new(&bench.env(), Some(&name)).await.unwrap(), new, "revision {revision}");
    }
}
