//! What an unchanged site is asked before a run: everything once.

use super::cluster::{at, listed, parts, there};
use super::nodes::{expectation, facts};
use super::*;
use crate::survey::{Survey, survey};
use crate::{Checked, LookOptions, RunWorld, look};
use plinth_model::steps::{KubesprayRun, NodeConnect, NodeFacts, NodeReady};
use plinth_plan::{StepObservation, Visit};
use plinth_world::deadlines;
use plinth_world::node::{HostKey, HostKeyState};

fn pinned() -> HostKeyState {
    let key = HostKey { algorithm: "ssh-ed25519".to_owned(), fingerprint: "SHA256:a".to_owned() };
    HostKeyState { presented: key.clone(), pinned: Some(key) }
}

fn account() -> NodeTarget {
    NodeTarget { user: "plinth".to_owned(), credential: Credential::Key(SecretRef::File("key".to_owned())), ..target() }
}

fn visit() -> Visit {
    let expected = expectation("/larger");
    let mut asked = expected.asked();
    asked.urls.push("https://asked-for-the-plan.test/".to_owned());
    Visit { first: target(), account: account(), asked, expected }
}

/// A plan of these steps, each behind the one before.
fn plan(works: Vec<(&str, Work)>) -> plinth_model::Plan {
    let mut steps: Vec<Step> = Vec::new();
    for (verb, work) in works {
        let needs = steps.last().map(|before| before.id.clone()).into_iter().collect();
        steps.push(Step { id: StepId::new("area", verb, "dgx-05"), needs, ..step(&work) });
    }
    plan_of(steps)
}

fn steps() -> Vec<(&'static str, Work)> {
    let run = KubesprayRun {
        release: super::cluster::kubespray(),
        targets: vec![at("cpu-03"), at("dgx-05")],
        parts: parts(),
        without: Vec::new(),
        removes_docker: false,
    };
    let health = plinth_model::steps::ControlPlane { targets: vec![at("cpu-03")], etcd: Vec::new() };
    let expected = NodeFacts { target: account(), expected: expectation("/larger") };
    vec![
        ("connect", Work::NodeConnect(NodeConnect { target: target() })),
        ("facts", Work::NodeFacts(expected)),
        ("deploy", Work::KubesprayRun(run)),
        ("ready", Work::NodeReady(NodeReady { node: node("dgx-05"), version: None })),
        ("control-plane", Work::ControlPlane(health)),
    ]
}

/// Checks the node, and looks at a plan so much later.
async fn looked(bench: &Bench, works: Vec<(&str, Work)>, later: Duration) -> crate::Look {
    let env = bench.env();
    let Survey { facts, told, .. } = survey(&[visit()], &env, 4, &crate::Awaited::default()).await.unwrap();
    bench.clock.sleep(later).await;
    let checked = Checked { told, facts: Arc::new(facts) };
    let world = RunWorld { env, behaviour: Arc::new(Kinds) };
    look(&plan(works), &world, &LookOptions { checked, ..LookOptions::default() }).await.unwrap()
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.fake.on("record", None::<EngineRecord>).on("host_key", pinned()).on("facts", facts(500, 500));
    bench
}

#[tokio::test]
async fn an_unchanged_site_is_asked_everything_once() {
    let bench = bench();
    let deployed = || recorded(KubesprayRecord { last: Some(parts()), begun: None, at: None });
    let workload =
        plinth_world::kube::SystemWorkload { kind: "Deployment", name: "coredns".to_owned(), ready: 1, wanted: 1 };
    let health = plinth_world::kube::ClusterHealth { failing: Vec::new(), workloads: vec![workload] };
    bench.fake.on("record", deployed());
    bench.fake.on("nodes", listed(&["cpu-03", "dgx-05"], "v1.31.9")).on("cluster_health", health);
    bench.fake.on("control_plane", there()).on("control_plane", there());
    let seen = looked(&bench, steps(), Duration::ZERO).await.seen;
    assert!(seen.values().all(|seen| *seen == StepObservation::Done), "{seen:#?}");
    bench.fake.assert_used_up();
    let calls = bench.fake.calls();
    let count = |call: &str| calls.iter().filter(|made| **made == call).count();
    // Two nodes of the control plane's step and of the run's, and no more.
    assert_eq!([count("host_key"), count("facts"), count("nodes"), count("control_plane")], [1, 1, 1, 2], "{calls:?}");
    assert_eq!([count("node"), count("record")], [0, 2], "once for the check, once for the look: {calls:?}");
}

#[tokio::test]
async fn what_was_told_longer_ago_than_a_look_holds_is_asked_again() {
    let bench = bench();
    bench.fake.on("host_key", pinned()).on("facts", facts(500, 500)).on("record", None::<EngineRecord>);
    let works = steps().into_iter().take(2).collect();
    let look = looked(&bench, works, deadlines::LOOK_HOLDS + Duration::from_secs(1)).await;
    assert!(look.seen.values().all(|seen| *seen == StepObservation::Done), "{:#?}", look.seen);
    bench.fake.assert_used_up();
}

#[tokio::test]
async fn a_look_is_as_old_as_what_it_rests_on() {
    let bench = bench();
    bench.fake.on("record", None::<EngineRecord>);
    let later = deadlines::LOOK_HOLDS - Duration::from_secs(1);
    let look = looked(&bench, steps().into_iter().take(2).collect(), later).await;
    assert!(look.done.len() == 2 && look.done.values().all(|done| done.at == Duration::ZERO), "{:#?}", look.done);
}

#[tokio::test]
async fn another_login_and_another_question_are_asked_for_themselves() {
    let other = NodeTarget { user: "somebody".to_owned(), ..account() };
    let mut wider = expectation("/elsewhere");
    let mut far = target();
    far.address = "10.184.162.99".parse().unwrap();
    wider.larger = "/elsewhere".to_owned().try_into().unwrap();
    let works = [
        Work::NodeFacts(NodeFacts { target: other, expected: expectation("/larger") }),
        Work::NodeFacts(NodeFacts { target: account(), expected: wider }),
    ];
    for work in works {
        let bench = bench();
        bench.fake.on("facts", facts(500, 500)).on("record", None::<EngineRecord>);
        looked(&bench, vec![("facts", work)], Duration::ZERO).await;
        bench.fake.assert_used_up();
    }
    let bench = bench();
    bench.fake.on("host_key", pinned());
    looked(&bench, vec![("connect", Work::NodeConnect(NodeConnect { target: far }))], Duration::ZERO).await;
    bench.fake.assert_used_up();
}

/// Takes its time to find that nothing is to do.
struct Slow;

#[async_trait::async_trait]
impl crate::behaviour::Behaviour for Slow {
    async fn probe(&self, _: &Step, env: &StepEnv) -> Result<Probed, ClientError> {
        env.ctx.clock().sleep(Duration::from_secs(40)).await;
        Ok(Probe::Done(String::new()).into())
    }
    async fn act(&self, _: &Step, _: &StepEnv) -> Result<String, ClientError> {
        Ok(String::new())
    }
}

#[tokio::test]
async fn what_a_slow_look_was_told_is_as_old_as_its_beginning() {
    let bench = bench();
    let began = Duration::from_secs(5);
    bench.clock.sleep(began).await;
    let world = RunWorld { env: bench.env(), behaviour: Arc::new(Slow) };
    let look = look(&plan(steps()), &world, &LookOptions::default()).await.unwrap();
    assert_eq!(look.done.len(), 5);
    assert!(look.done.values().all(|done| done.at == began), "{:#?}", look.done);
}
