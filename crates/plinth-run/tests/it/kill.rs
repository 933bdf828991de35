//! Killed at every record and run again: the same world as uninterrupted, and nothing marked once happens twice.

use crate::plans::{gate, gated, site};
use crate::script::{Bench, Rule};
use plinth_model::gate::GateAnswer;
use plinth_model::{Exit, Outcome, Plan};
use plinth_run::CrashAfter;

fn bench() -> Bench {
    let bench = Bench::new();
    let answers = vec![(gate("storage/a"), GateAnswer::RELOCATE)];
    bench.rule("nodes/facts/a", Rule { answers, ..Rule::default() });
    bench.rule("nodes/account/n1", Rule { act_failures: 1, happens_anyway: true, ..Rule::default() });
    bench.rule("nodes/registries/n0", Rule { act_failures: 1, ..Rule::default() });
    bench
}

/// Crashes at each record until a run gets through; `late` lets announced effects happen before the crash. Answers how many
/// records an uninterrupted run makes.
fn crash_everywhere(plan: &Plan, late: bool) -> usize {
    let mut whole = bench();
    assert_eq!(whole.run(plan).exit, Exit::Done);
    for records in 1.. {
        let mut bench = bench();
        let mut journal = bench.journal();
        let mut crashes = 0;
        let recorder = CrashAfter::new(&mut journal, records).calling(|| crashes += 1);
        let mut recorder = if late { recorder.late() } else { recorder };
        let first = bench.run_with(plan, &mut recorder);
        drop(recorder);
        drop(journal);
        let Err(problem) = first else { return records };
        assert_eq!(crashes, 1);
        assert!(problem.happened.contains("scripted crash"), "{problem}");
        let report = bench.run(plan);
        assert_eq!(report.outcome, Outcome::Done, "after {records} records");
        assert_eq!(bench.so(), whole.so(), "after {records} records");
        let registered = bench.effects().iter().filter(|e| *e == "runai/register/c").count();
        let needed = usize::from(plan.steps.iter().any(|step| step.work.properties().once));
        assert_eq!(registered, needed, "{registered} times after {records} records");
        bench.opened().verify().unwrap();
    }
    unreachable!()
}

#[test]
fn killed_at_every_record_of_a_small_site() {
    let (prompt, late) = (crash_everywhere(&site(2), false), crash_everywhere(&site(2), true));
    assert_eq!(prompt, late + 1, "the last record is the end of the run");
    assert!(late > 2 * site(2).steps.len(), "{late}");
}

#[test]
fn killed_at_every_record_of_a_gate() {
    assert!(crash_everywhere(&gated(), false) >= 7);
    assert!(crash_everywhere(&gated(), true) >= 7);
}

#[test]
fn nothing_is_recorded_or_done_after_the_crash() {
    let mut bench = bench();
    let mut journal = bench.journal();
    let mut recorder = CrashAfter::new(&mut journal, 1);
    bench.run_with(&site(2), &mut recorder).unwrap_err();
    drop(recorder);
    assert!(bench.effects().is_empty() && bench.events.lock().unwrap().is_empty());
    assert!(journal.memory().steps.is_empty() && journal.memory().run.is_some());
}

#[test]
fn an_effect_that_ended_without_its_record_is_found_done() {
    let plan = site(1);
    let intents = 1 + 1;
    let mut killed = Bench::new();
    let mut journal = killed.journal();
    killed.run_with(&plan, &mut CrashAfter::new(&mut journal, intents)).unwrap_err();
    drop(journal);
    killed.script.state.lock().unwrap().so.insert("nodes/connect/n0".to_owned());
    assert_eq!(killed.run(&plan).counts.unchanged, 1);
    assert!(!killed.effects().contains(&"nodes/connect/n0".to_owned()));
    assert!(killed.memory().in_flight().is_empty());
}
