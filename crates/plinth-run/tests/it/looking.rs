use crate::plans::{gate, gated, id, site};
use crate::script::{Bench, Rule, SECRET};
use plinth_plan::StepObservation;
use plinth_run::{Look, LookOptions, look};

fn look_at(bench: &Bench, plan: &plinth_model::Plan) -> Look {
    bench.clock.drive(look(plan, &bench.world(), &LookOptions { parallel: 3, ..LookOptions::default() })).unwrap()
}

#[test]
fn only_what_has_its_needs_is_looked_at_and_nothing_changes() {
    let (bench, plan) = (Bench::new(), site(2));
    bench.script.state.lock().unwrap().so.insert("nodes/connect/n0".to_owned());
    let look = look_at(&bench, &plan);
    let checks = plan.steps.iter().filter(|s| matches!(s.work, plinth_model::Work::AcceptanceCheck(_))).count();
    assert_eq!(look.seen.len() + checks, plan.steps.len());
    assert_eq!(look.seen[&id("nodes/connect/n0")], StepObservation::Done);
    assert_eq!(
        look.seen[&id("nodes/account/n0")],
        StepObservation::Todo(vec!["+ nodes/account/n0 with [secret]".to_owned()])
    );
    assert_eq!(look.seen[&id("nodes/registries/n0")], StepObservation::Todo(Vec::new()));
    assert_eq!(bench.script.state.lock().unwrap().probes.len(), 3);
    assert!(bench.effects().is_empty());
    assert!(bench.script.state.lock().unwrap().most_busy <= 3);
}

#[test]
fn after_a_run_everything_is_seen_done() {
    let (mut bench, plan) = (Bench::new(), site(3));
    bench.run(&plan);
    let seen = look_at(&bench, &plan).seen;
    assert!(seen.values().all(|seen| *seen == StepObservation::Done), "{seen:?}");
    let checks = plan.steps.iter().filter(|s| matches!(s.work, plinth_model::Work::AcceptanceCheck(_))).count();
    assert_eq!(seen.len() + checks, plan.steps.len(), "checks start pods, which is not looking");
}

#[test]
fn what_cannot_be_seen_is_unknown_not_absent() {
    let (bench, plan) = (Bench::new(), site(2));
    bench.rule("nodes/connect/n0", Rule { probe_failures: 1, ..Rule::default() });
    bench.rule("nodes/connect/n1", Rule { blocked: true, ..Rule::default() });
    let look = look_at(&bench, &plan);
    assert!(
        matches!(&look.seen[&id("nodes/connect/n0")], StepObservation::Unknown(why) if why.contains("the line dropped"))
    );
    assert_eq!(
        look.seen[&id("nodes/connect/n1")],
        StepObservation::Todo(vec!["blocked: taken by [secret]".to_owned()])
    );
    assert_eq!(look.findings[0].code, "node.clash");
    assert!(!format!("{look:?}").contains(SECRET));
}

#[test]
fn gates_are_answered_without_acting() {
    for (answer, storage) in [("fits", None), ("relocate", Some(true))] {
        let bench = Bench::new();
        bench.rule(
            "nodes/facts/a",
            Rule { answers: vec![(gate("storage/a"), answer.parse().unwrap())], ..Rule::default() },
        );
        let look = look_at(&bench, &gated());
        assert_eq!(look.answers[&gate("storage/a")].as_str(), answer);
        let seen = look.seen.get(&id("nodes/storage/a"));
        assert_eq!(seen.map(|seen| matches!(seen, StepObservation::Todo(diff) if !diff.is_empty())), storage);
        let next = &look.seen[&id("nodes/registries/a")];
        assert_eq!(matches!(next, StepObservation::Todo(diff) if !diff.is_empty()), answer == "fits");
    }
    let bench = Bench::new();
    bench
        .rule("nodes/facts/a", Rule { answers: vec![(gate("storage/a"), "burn".parse().unwrap())], ..Rule::default() });
    let look = look_at(&bench, &gated());
    assert_eq!((look.answers.len(), look.findings[0].code.as_str()), (0, "run.gate-answer-unknown"));
}

/// Probes of a run that follows a look at a site in the desired state; `between` is what happens in between.
fn looks_again(between: impl FnOnce(&mut Bench)) -> (usize, usize) {
    let (mut bench, plan) = (Bench::new(), site(2));
    bench.run(&plan);
    bench.seen = look_at(&bench, &plan).done;
    let looked = bench.seen.len();
    between(&mut bench);
    bench.script.state.lock().unwrap().probes.clear();
    let report = bench.run(&plan);
    assert_eq!(report.counts.failed, 0);
    (looked, bench.script.state.lock().unwrap().probes.len())
}

#[test]
fn a_run_right_after_a_look_looks_only_at_what_the_look_left_out() {
    let checks = site(2).steps.iter().filter(|s| matches!(s.work, plinth_model::Work::AcceptanceCheck(_))).count();
    let (looked, probes) = looks_again(|_| {});
    assert!(looked > checks, "{looked}");
    assert_eq!(probes, checks);
}

#[test]
fn a_look_counts_no_longer_than_the_lock_holds() {
    let (looked, probes) = looks_again(|bench| {
        bench.clock.drive(bench.world().env.ctx.clock().sleep(plinth_world::deadlines::LOOK_HOLDS * 2));
    });
    assert!(probes > looked, "{probes} probes after {looked} looks");
}

#[test]
fn a_look_counts_until_the_first_effect() {
    let (looked, probes) = looks_again(|bench| {
        // The first step of a node is gone: it is made again, and everything behind it is looked at again.
        let mut state = bench.script.state.lock().unwrap();
        state.so.remove("nodes/connect/n0");
        drop(state);
        bench.seen.remove(&id("nodes/connect/n0"));
    });
    assert!(probes > looked / 2, "{probes} probes after {looked} looks");
}
