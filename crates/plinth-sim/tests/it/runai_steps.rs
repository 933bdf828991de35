//! The steps of Run:ai with the real client against a simulated control plane over TLS: what a run does, and what is left of it
//! when it is killed.

use crate::rack::start;
use crate::runai_stand::{CLUSTER, DOMAIN, Stand, setup};
use plinth_model::plan::{Change, Step};
use plinth_model::steps::{RunaiConnected, RunaiIssuer, RunaiRegister, cluster_uid};
use plinth_model::{StepId, Work};
use plinth_run::steps::Kinds;
use plinth_run::{Behaviour as _, Probe, StepEnv};
use plinth_sim::runai::{RunaiFault, RunaiFaultKind, RunaiSetup, RunaiStage};
use plinth_world::ClientError;
use plinth_world::secrets::Secrets;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The steps of one control plane, as a run has them. A second one of the same stand is another process: it knows nothing but
/// what was kept.
struct Run {
    env: StepEnv,
    stand: Arc<Stand>,
}

impl Run {
    fn new(stand: &Arc<Stand>) -> Self {
        let mut clients = start(None, &[]).clients.clone();
        clients.runai = Arc::new(stand.another_client());
        let env = StepEnv::new(stand.ctx.clone(), clients, Arc::<_>::clone(&stand.secrets) as Arc<dyn Secrets>);
        Self { env, stand: Arc::clone(stand) }
    }

    fn step(work: Work) -> Step {
        let id = StepId::new("runai", "step", "test");
        Step { id, work, needs: Vec::new(), reason: "a test wants it".into(), change: Change::Check, when: None }
    }

    fn register(&self) -> Step {
        Self::step(Work::RunaiRegister(RunaiRegister { target: self.stand.target.clone(), release: None }))
    }

    async fn look(&self, step: &Step) -> Probe {
        Kinds.probe(step, &self.env).await.unwrap().probe
    }

    async fn act(&self, step: &Step) -> Result<String, ClientError> {
        Kinds.act(step, &self.env).await
    }
}

fn stand(faults: Vec<RunaiFault>) -> Arc<Stand> {
    Arc::new(Stand::new(faults))
}

#[tokio::test]
async fn a_cluster_is_registered_once_and_found_again() {
    let stand = stand(vec![]);
    let run = Run::new(&stand);
    let step = run.register();
    let Probe::Todo(differences) = run.look(&step).await else { panic!("it is not registered") };
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(run.act(&step).await.unwrap().contains("registered as"));
    assert!(matches!(run.look(&step).await, Probe::Done(_)));
    let again = Run::new(&stand);
    assert!(matches!(again.look(&step).await, Probe::Done(_)), "another process sees it as well");
    assert!(again.act(&step).await.unwrap().contains("was registered already"));
    assert_eq!((stand.count("register"), stand.server.entries(CLUSTER).len()), (1, 1));
}

#[tokio::test]
async fn killed_between_the_registration_and_the_credentials_it_goes_on() {
    let stall = RunaiFault::once(RunaiFaultKind::Stall { millis: 120_000 }).on("credentials");
    let stand = stand(vec![stall]);
    let killed = Run::new(&stand);
    let step = killed.register();
    let cut = tokio::time::timeout(Duration::from_secs(2), killed.act(&step)).await;
    assert!(cut.is_err(), "it was still waiting for the credentials");
    assert_eq!((stand.server.entries(CLUSTER).len(), stand.count("credentials")), (1, 1));
    assert!(stand.secrets.get(&cluster_uid()).is_err(), "nothing was kept");
    let next = Run::new(&stand);
    let Probe::Todo(differences) = next.look(&step).await else { panic!("the credentials are not kept") };
    assert!(differences[0].contains("credentials"), "{differences:?}");
    next.act(&step).await.unwrap();
    assert!(matches!(next.look(&step).await, Probe::Done(_)));
    assert_eq!((stand.count("register"), stand.server.entries(CLUSTER).len()), (1, 1), "exactly one entry");
}

#[tokio::test]
async fn killed_while_the_registration_is_under_way_it_finds_the_entry() {
    let stall = RunaiFault::once(RunaiFaultKind::Stall { millis: 120_000 }).on("register");
    let stand = stand(vec![stall]);
    let killed = Run::new(&stand);
    let step = killed.register();
    assert!(tokio::time::timeout(Duration::from_secs(2), killed.act(&step)).await.is_err());
    let next = Run::new(&stand);
    next.act(&step).await.unwrap();
    assert!(matches!(next.look(&step).await, Probe::Done(_)));
    assert_eq!((stand.count("register"), stand.server.entries(CLUSTER).len()), (1, 1), "exactly one entry");
}

#[tokio::test]
async fn two_entries_of_one_name_stop_everything() {
    let stand = stand(vec![]);
    let ids = [stand.server.registered_by_hand(CLUSTER), stand.server.registered_by_hand(CLUSTER)];
    let run = Run::new(&stand);
    let step = run.register();
    let Probe::Blocked(finding) = run.look(&step).await else { panic!("nobody knows which one is ours") };
    assert_eq!(finding.code, "runai.cluster-registered-twice");
    assert!(ids.iter().all(|id| finding.evidence.iter().any(|line| line.contains(id))), "{finding:?}");
    assert!(run.act(&step).await.is_err());
    assert_eq!(stand.count("register"), 0);
}

#[tokio::test]
async fn the_issuer_is_waited_for_and_compared_as_a_text() {
    let stand = Arc::new(Stand::of(RunaiSetup { stage: RunaiStage::Nothing, ..setup("2.21") }, vec![]));
    let run = Run::new(&stand);
    let step = Run::step(Work::RunaiIssuer(RunaiIssuer { target: stand.target.clone(), release: None }));
    assert!(matches!(run.look(&step).await, Probe::Todo(_)));
    let parts = async {
        for part in stand.comes_up() {
            part.await;
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
    };
    let (waited, ()) = tokio::join!(run.act(&step), parts);
    assert!(waited.unwrap().contains(&stand.target.issuer()), "no part of it that is late ends the wait");
    for (stage, lacks) in
        [(RunaiStage::Keycloak, "realm runai"), (RunaiStage::Realm, "Invalid user"), (RunaiStage::Administrator, "503")]
    {
        let early = Arc::new(Stand::of(RunaiSetup { stage, ..setup("2.21") }, vec![]));
        let run = Run::new(&early);
        let step = Run::step(Work::RunaiIssuer(RunaiIssuer { target: early.target.clone(), release: None }));
        let Probe::Todo(seen) = run.look(&step).await else { panic!("{stage:?} is not enough") };
        assert!(seen[0].contains(lacks), "{stage:?}: {seen:?}");
    }
    let told = Some(format!("https://{DOMAIN}/auth/realms/runai"));
    let wrong = Arc::new(Stand::of(RunaiSetup { issuer: told.clone(), ..setup("2.21") }, vec![]));
    let run = Run::new(&wrong);
    let step = Run::step(Work::RunaiIssuer(RunaiIssuer { target: wrong.target.clone(), release: None }));
    let Probe::Blocked(finding) = run.look(&step).await else { panic!("every login would fail") };
    assert_eq!(finding.code, "runai.issuer-mismatch");
    assert!(finding.evidence.iter().any(|line| line.ends_with(&told.clone().unwrap())), "{finding:?}");
}

#[tokio::test]
async fn a_cluster_connects_and_says_what_it_misses() {
    let stand = stand(vec![]);
    let uuid = stand.server.registered_by_hand(CLUSTER);
    let run = Run::new(&stand);
    let step = Run::step(Work::RunaiConnected(RunaiConnected { target: stand.target.clone(), next_report: false }));
    let required = json!({"prometheus": {"available": false, "reason": "no operator"}});
    stand.server.reports(&uuid, json!({"state": "MissingPrerequisites", "dependencies": {"required": required}}), &[]);
    let Probe::Todo(differences) = run.look(&step).await else { panic!("it is not connected") };
    assert!(differences[1].contains("prometheus (no operator)"), "{differences:?}");
    stand.server.reports(&uuid, json!({"state": "Connected"}), &[("dgx-05", 8), ("dgx-06", 8)]);
    assert_eq!(run.act(&step).await.unwrap(), "Connected, 2 GPU nodes: dgx-05, dgx-06");
}
