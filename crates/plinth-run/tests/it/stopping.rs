use crate::plans::{id, plan, site, step};
use crate::script::{Bench, Rule};
use plinth_model::run::Interrupted;
use plinth_model::{EventBody, Exit, Outcome, RunView, StepState};
use plinth_run::StopLevel;
use plinth_world::Clock;
use std::sync::Arc;
use std::time::Duration;

/// Runs the plan and raises the signal at these moments of virtual time.
fn run_and_stop(bench: &mut Bench, plan: &plinth_model::Plan, at: &[u64]) -> plinth_run::RunReport {
    let mut journal = bench.journal();
    bench.runs += 1;
    let (stop, clock) = (bench.stop.clone(), Arc::clone(&bench.clock));
    let at = at.to_vec();
    let alarm = async move {
        let mut now = 0;
        for moment in at {
            clock.sleep(Duration::from_secs(moment - now)).await;
            now = moment;
            stop.raise();
        }
    };
    let options = plinth_run::RunOptions { run: journal.run().to_owned(), ..bench.options.clone() };
    let events = Arc::clone(&bench.events);
    let sink: plinth_run::Sink = Arc::new(move |event| events.lock().unwrap().push(event));
    let run = plinth_run::run(plan, bench.world(), &mut journal, sink, bench.stop.clone(), options);
    let both = async { futures::future::join(run, alarm).await.0 };
    bench.clock.drive(both).unwrap()
}

fn reasons(bench: &Bench) -> Vec<String> {
    bench.said(|b| if let EventBody::RunStopping { reason } = b { Some(reason.clone()) } else { None })
}

fn slow() -> plinth_model::Plan {
    plan(vec![
        step("a/slow/x", &[]),
        step("a/next/x", &["a/slow/x"]),
        step("b/slow/y", &[]),
        step("b/next/y", &["b/slow/y"]),
    ])
}

#[test]
fn the_first_stop_finishes_what_is_in_flight() {
    let mut bench = Bench::new();
    bench.rule("a/slow/x", Rule { seconds: 100, ..Rule::default() });
    let report = run_and_stop(&mut bench, &slow(), &[5]);
    assert_eq!((report.outcome, report.exit), (Outcome::Stopped, Exit::Partly));
    assert_eq!(bench.so().into_iter().collect::<Vec<_>>(), ["a/slow/x", "b/slow/y"]);
    assert_eq!((report.counts.changed, report.counts.not_run), (2, 2));
    let said = reasons(&bench).remove(0);
    assert!(said.starts_with("stopping after 2 running steps have finished: a/slow/x (given up at "), "{said}");
    assert!(said.contains("at the latest). Ctrl-C again (or a second SIGTERM) stops now: they are cut off"), "{said}");
    assert!(bench.memory().in_flight().is_empty());

    bench.stop = plinth_run::StopSignal::new();
    let report = bench.run(&slow());
    assert_eq!((report.outcome, report.counts.changed, report.counts.unchanged), (Outcome::Done, 2, 2));
}

#[test]
fn what_a_stop_waits_for_is_told_with_the_look_behind_an_effect_that_is_late() {
    let mut bench = Bench::new();
    bench.rule("a/slow/x", Rule { hangs: true, ..Rule::default() });
    let plan = plan(vec![step("a/slow/x", &[])]);
    let deadline = u64::from(plan.steps[0].work.deadline_s());
    // The first look takes a second.
    let limit = Duration::from_secs(1 + 2 * deadline);
    let _ = run_and_stop(&mut bench, &plan, &[5]);
    let told = plinth_model::span::of(limit - Duration::from_secs(5));
    let said = reasons(&bench).remove(0);
    assert!(said.contains(&format!("in {told}, at the latest")), "{said}");
    let ended = bench.clock.elapsed();
    assert!(ended > Duration::from_secs(1 + deadline) && ended <= limit, "{ended:?} of {limit:?}");
}

#[test]
fn an_effect_that_fails_after_the_first_stop_is_looked_at_and_not_tried_again() {
    for happens_anyway in [false, true] {
        let mut bench = Bench::new();
        bench.rule("a/slow/x", Rule { seconds: 100, act_failures: 1, happens_anyway, ..Rule::default() });
        let report = run_and_stop(&mut bench, &plan(vec![step("a/slow/x", &[])]), &[5]);
        assert_eq!(bench.effects(), ["a/slow/x"], "tried again although the run stops");
        let (outcome, ended, in_flight) = match happens_anyway {
            true => (Outcome::Done, StepState::Changed, 0),
            false => (Outcome::Stopped, StepState::NotRun, 1),
        };
        assert_eq!(report.outcome, outcome);
        assert_eq!(bench.ended(&id("a/slow/x")).unwrap().0, ended);
        assert_eq!(bench.memory().in_flight().len(), in_flight);

        bench.stop = plinth_run::StopSignal::new();
        assert_eq!(bench.run(&plan(vec![step("a/slow/x", &[])])).outcome, Outcome::Done);
        assert!(bench.memory().in_flight().is_empty());
    }
}

#[test]
fn a_stop_before_an_effect_lets_it_not_begin() {
    let mut bench = Bench::new();
    bench.stop.raise();
    let report = bench.run(&slow());
    assert_eq!((report.outcome, report.counts.not_run), (Outcome::Stopped, 4));
    assert!(bench.effects().is_empty());
}

#[test]
fn the_second_stop_drops_what_is_in_flight_and_it_is_looked_at_next_time() {
    let mut bench = Bench::new();
    bench.rule("a/slow/x", Rule { seconds: 100, ..Rule::default() });
    let report = run_and_stop(&mut bench, &slow(), &[5, 20]);
    assert_eq!(report.outcome, Outcome::Stopped);
    assert!(report.duration < Duration::from_secs(30));
    assert_eq!(
        reasons(&bench)[1..],
        ["stopped now: the running steps were cut off, and the next run looks at them first"]
    );
    assert_eq!(bench.stop.level(), StopLevel::Now);
    assert_eq!(bench.so().into_iter().collect::<Vec<_>>(), ["b/slow/y"]);
    assert_eq!(bench.ended(&id("a/slow/x")).unwrap().0, StepState::NotRun);
    let view = RunView::of(&*bench.events.lock().unwrap());
    let cut = &view.steps[&id("a/slow/x")];
    assert_eq!((cut.interrupted(), cut.detail.as_str()), (Some(Interrupted::Effect), Interrupted::Effect.told()));
    assert_eq!(view.steps[&id("a/next/x")].interrupted(), None, "it had not begun");
    let memory = bench.memory();
    assert_eq!(memory.in_flight(), [&id("a/slow/x")]);
    assert_eq!(memory.run.unwrap().outcome, Some(Outcome::Stopped));

    bench.stop = plinth_run::StopSignal::new();
    let report = bench.run(&slow());
    assert_eq!((report.outcome, bench.so().len()), (Outcome::Done, 4));
    let told =
        bench.said(|b| if let EventBody::Finding { finding, .. } = b { Some(finding.subject.clone()) } else { None });
    assert_eq!(told, ["a/slow/x"]);
    assert_eq!(bench.memory().steps[&id("a/slow/x")].state, StepState::Changed);
}

#[test]
fn a_stop_after_everything_has_ended_changes_nothing() {
    let mut bench = Bench::new();
    let plan = site(1);
    let report = run_and_stop(&mut bench, &plan, &[50_000]);
    assert_eq!(report.outcome, Outcome::Done);
}
