//! What must happen only once does, whatever is removed, upgraded or moved between two runs.

use crate::plans::site;
use crate::script::{Bench, Rule};
use plinth_model::steps::RunaiRegister;
use plinth_model::{Exit, Plan, Work};
use plinth_run::Again;
use std::time::Duration;

#[test]
fn what_must_happen_once_is_not_repeated_when_it_is_gone() {
    let (mut bench, plan) = (Bench::new(), site(1));
    bench.run(&plan);
    bench.script.state.lock().unwrap().so.remove("runai/register/c");
    bench.script.state.lock().unwrap().so.remove("kubernetes/ready/n0");
    for _ in 0..2 {
        let report = bench.run(&plan);
        assert_eq!(report.failures[0].1.code, "run.once-already-done");
    }
    assert_eq!(bench.effects().iter().filter(|e| *e == "runai/register/c").count(), 1);
    assert_eq!(bench.effects().iter().filter(|e| *e == "kubernetes/ready/n0").count(), 2);
}

/// The plan of before, with something about the registration that an upgrade or the site file changes.
fn otherwise(plan: &Plan, change: impl Fn(&mut RunaiRegister)) -> Plan {
    let mut plan = plan.clone();
    for step in &mut plan.steps {
        if let Work::RunaiRegister(register) = &mut step.work {
            change(register);
        }
    }
    plan.hash = plan.content_hash();
    plan
}

#[test]
fn an_upgrade_registers_no_second_entry_and_another_control_plane_has_its_own() {
    let (mut bench, plan) = (Bench::new(), site(1));
    bench.run(&plan);
    let gone = |bench: &Bench| bench.script.state.lock().unwrap().so.remove("runai/register/c");
    let registered = |bench: &Bench| bench.effects().iter().filter(|effect| *effect == "runai/register/c").count();
    gone(&bench);
    let upgraded = otherwise(&plan, |register| {
        register.target.version = "9.9.9".parse().unwrap();
        register.target.api.clusters = "/api/v9/clusters".to_owned();
        register.target.admin = "another@runai.test".to_owned();
    });
    assert_ne!(upgraded.hash, plan.hash);
    assert_eq!(bench.run(&upgraded).failures[0].1.code, "run.once-already-done");
    assert_eq!(registered(&bench), 1);
    let moved = otherwise(&plan, |register| register.target.url = "https://other.test".to_owned());
    assert_eq!(bench.run(&moved).exit, Exit::Done);
    assert_eq!(registered(&bench), 2);
    gone(&bench);
    assert_eq!(bench.run(&upgraded).failures[0].1.code, "run.once-already-done", "it was registered there before");
}

#[test]
fn what_must_happen_once_is_completed_as_often_as_it_takes() {
    let (mut bench, plan) = (Bench::new(), site(1));
    bench.run(&plan);
    bench.script.state.lock().unwrap().so.remove("runai/register/c");
    bench.rule("runai/register/c", Rule { again: Again::Completes, ..Rule::default() });
    assert_eq!(bench.run(&plan).exit, Exit::Done);
    assert_eq!(bench.effects().iter().filter(|e| *e == "runai/register/c").count(), 2);
}

#[test]
fn what_must_happen_once_is_done_again_in_what_was_made_since() {
    let (mut bench, plan) = (Bench::new(), site(1));
    bench.run(&plan);
    let later = bench.events.lock().unwrap().last().unwrap().at + Duration::from_secs(1);
    let gone = |bench: &Bench| bench.script.state.lock().unwrap().so.remove("runai/register/c");
    // Older than the last registration: it is what that one was made in, upgraded or not.
    gone(&bench);
    bench.rule("runai/register/c", Rule { again: Again::Since(jiff::Timestamp::UNIX_EPOCH), ..Rule::default() });
    assert_eq!(bench.run(&plan).failures[0].1.code, "run.once-already-done");
    bench.rule("runai/register/c", Rule { again: Again::Since(later), ..Rule::default() });
    assert_eq!(bench.run(&plan).exit, Exit::Done);
    // It was done in there now, so it is not done there once more.
    gone(&bench);
    assert_eq!(bench.run(&plan).failures[0].1.code, "run.once-already-done");
    assert_eq!(bench.effects().iter().filter(|e| *e == "runai/register/c").count(), 2);
}
