//! `reset` of a site on whose nodes nothing of Kubernetes is: it ends well, says so, and starts no play.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use plinth_app::audience::Nobody;
use plinth_app::operation::Always;
use plinth_app::{Access, Depth, Goal, Input, Operation, Script, Setup, World};
use plinth_model::Exit;
use plinth_model::steps::Removal;
use plinth_plan::engines;
use plinth_run::StopSignal;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn open(state: &Path, goal: Goal, script: Script) -> Operation<'_> {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basepod.yaml");
    let input = Input::load(&site).unwrap();
    let setup = Setup { input, state: Some(state), recorded: None, access: Access::Change, goal, audience: &Nobody };
    Operation::open(setup, World::Simulated(script)).unwrap()
}

#[tokio::test]
async fn nodes_that_never_had_kubernetes_need_no_engine_and_no_account() {
    let state = TempDir::new().unwrap();
    let mut operation = open(state.path(), Goal::Removal(Removal::All), Script::default());
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    let steps: Vec<&str> = planned.plan.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(steps, ["kubernetes/removal/basepod-a"], "nothing is fetched for a play that need not run");
    assert!(engines::is_done(&planned.plan), "{:#?}", planned.plan.steps);
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_not_taken_for_one_without_kubernetes() {
    let state = TempDir::new().unwrap();
    let script = Script { faults: vec!["node:dgx-05:unreachable:always".parse().unwrap()], ..Script::default() };
    let mut operation = open(state.path(), Goal::Removal(Removal::All), script);
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    assert!(planned.plan.steps.len() > 5 && !engines::is_done(&planned.plan));
}

#[tokio::test]
async fn where_kubernetes_runs_it_is_taken_away_by_its_engine_and_the_second_reset_has_nothing_to_do() {
    let state = TempDir::new().unwrap();
    for goal in [Goal::Site, Goal::Removal(Removal::All)] {
        let mut operation = open(state.path(), goal, Script::default());
        let seen = operation.observe(Depth::Steps).await.unwrap();
        let planned = operation.plan(seen).unwrap();
        assert!(planned.plan.steps.len() > 5, "an engine's plan: {:#?}", planned.plan.steps);
        let mut approved = operation.approve(planned, &Always).await.unwrap().unwrap();
        let report = operation.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await.unwrap();
        assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    }
    let mut operation = open(state.path(), Goal::Removal(Removal::All), Script::default());
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    assert_eq!(planned.plan.steps.len(), 1);
    assert!(engines::is_done(&planned.plan), "{:#?}", planned.plan.steps);
}

/// A recovery writes another inventory than the apply before it, so that its own is made for the list; nothing else is.
#[tokio::test]
async fn which_hosts_a_recovery_would_touch_is_told_before_anybody_is_asked() {
    let state = TempDir::new().unwrap();
    let mut operation = open(state.path(), Goal::Site, Script::default());
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    let mut approved = operation.approve(planned, &Always).await.unwrap().unwrap();
    let report = operation.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await.unwrap();
    assert_eq!(report.exit, Exit::Done, "{:#?}", report.failures);
    drop(operation);

    let broken = vec![plinth_model::NodeName::new("cpu-05").unwrap()];
    let mut operation = open(state.path(), Goal::Recovery(broken), Script::default());
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    let pending = |verb: &str| planned.plan.steps.iter().any(|step| step.id.verb() == verb && step.change.pending());
    assert!(pending("inventory") && pending("recovery"), "{:#?}", planned.plan.steps);
    let preview = operation.preview(&planned).await.unwrap().expect("its programs are here");
    assert!(preview.text().contains("cpu-05"), "{}", preview.text());
}

#[tokio::test]
async fn nothing_is_fetched_for_a_list_of_hosts_before_anybody_is_asked() {
    let state = TempDir::new().unwrap();
    let script = || Script { faults: vec!["node:dgx-05:unreachable:always".parse().unwrap()], ..Script::default() };
    let mut operation = open(state.path(), Goal::Removal(Removal::All), script());
    let seen = operation.observe(Depth::Steps).await.unwrap();
    let planned = operation.plan(seen).unwrap();
    assert_eq!(operation.preview(&planned).await.unwrap(), None);
}
