//! Over random plans: each step that waited was held by exactly one thing, and what it was held by was true.

use crate::plans::{plan, step};
use crate::script::{Bench, Rule};
use plinth_model::run::{HeldBy, StreamSeal};
use plinth_model::{Event, EventBody, Plan, RunView, StepId, StepState};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Steps with needs in front of them, how long each takes, and whether it fails for good.
fn plans() -> impl Strategy<Value = (Plan, Vec<(u64, bool)>)> {
    let row =
        (prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1_u64..40, 0_u8..6, prop::bool::weighted(0.1));
    prop::collection::vec(row, 1..30).prop_map(|rows| {
        let name = |index: usize, kind: u8| match kind {
            0 => format!("nodes/s{index}/n0"),
            1 => format!("nodes/s{index}/n1"),
            2 => format!("kubernetes/deploy/d{index}"),
            _ => format!("platform/release/p{index}"),
        };
        let names: Vec<String> = rows.iter().enumerate().map(|(i, row)| name(i, row.2)).collect();
        let steps = rows.iter().enumerate().map(|(i, row)| {
            let needs: Vec<&str> = row.0.iter().filter(|_| i > 0).map(|need| names[need.index(i)].as_str()).collect();
            step(&names[i], &needs)
        });
        (plan(steps.collect()), rows.iter().map(|row| (row.1, row.3)).collect())
    })
}

/// How many steps ran, and which lanes were taken, in front of the events of this moment.
fn just_before(plan: &Plan, events: &[Event], at: jiff::Timestamp) -> (usize, BTreeMap<String, usize>) {
    let view = RunView::of(events.iter().take_while(|event| event.at < at));
    let lane = |id: &StepId| plan.steps.iter().find(|step| step.id == *id).and_then(plinth_model::Step::lane);
    let mut lanes = BTreeMap::new();
    view.running.iter().filter_map(lane).for_each(|lane| *lanes.entry(lane).or_default() += 1);
    (view.running.len(), lanes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_step_waited_for_last_is_true_and_its_end_let_it_begin((plan, rules) in plans(), parallel in 1_usize..6) {
        let mut bench = Bench::new();
        bench.options.parallel = parallel;
        for (step, (seconds, fails)) in plan.steps.iter().zip(rules) {
            let act_failures = if fails { 9 } else { 0 };
            bench.rule(step.id.as_str(), Rule { seconds, act_failures, permanent: fails, ..Rule::default() });
        }
        bench.run(&plan);
        let events = bench.events.lock().unwrap().clone();
        prop_assert_eq!(StreamSeal::holds(&events), Some(true));
        let whole = RunView::of(&events);
        for step in &plan.steps {
            let Some(seen) = whole.steps.get(&step.id) else { panic!("{} was never spoken of", step.id) };
            if seen.state == StepState::NotRun {
                // Its reason is a step that it needs, at whatever distance, and that one did not end well.
                let Some(HeldBy::Need { step: need }) = &seen.held_by else { panic!("{}: {:?}", step.id, seen.held_by) };
                prop_assert!(!whole.state_of(need).is_done());
                continue;
            }
            let (started, ready) = (seen.started.unwrap(), seen.ready_at.unwrap());
            let ends = step.needs.iter().filter_map(|need| whole.steps.get(need)?.ended);
            prop_assert_eq!(ends.clone().max().unwrap_or(whole.started.unwrap()), ready, "{}", step.id);
            if let Some(need) = &seen.last_need {
                prop_assert_eq!(whole.steps.get(need).unwrap().ended, ends.max());
            }
            let (running, lanes) = just_before(&plan, &events, started);
            match &seen.held_by {
                None => prop_assert!(step.needs.is_empty() && started == ready),
                Some(HeldBy::Need { step: need }) => {
                    prop_assert_eq!(started, ready);
                    prop_assert_eq!(Some(need), seen.last_need.as_ref());
                }
                Some(HeldBy::Lane { lane }) => {
                    prop_assert_eq!(Some(lane.clone()), step.lane());
                    prop_assert!(started == ready || lanes.contains_key(lane), "nobody was in {lane} before {}", step.id);
                }
                Some(HeldBy::Slot { slots }) => {
                    prop_assert_eq!(*slots, parallel);
                    // At one moment something may end twice: then it waited for no time, and who ran just before says nothing.
                    prop_assert!(started == ready || running == parallel);
                }
                other => prop_assert!(false, "{}: {other:?}", step.id),
            }
        }
    }
}

#[test]
fn a_failed_step_tells_its_attempts_and_a_stream_that_lacks_an_event_is_known() {
    let plan = plan(vec![step("platform/release/a", &[]), step("platform/release/b", &["platform/release/a"])]);
    let mut bench = Bench::new();
    bench.rule("platform/release/a", Rule { act_failures: 9, ..Rule::default() });
    bench.run(&plan);
    let attempts = bench.said(|body| match body {
        EventBody::StepFinished { attempts, outcome: StepState::Failed, .. } => Some(*attempts),
        _ => None,
    });
    assert_eq!(attempts, [plinth_world::deadlines::STEP_ATTEMPTS]);
    let next = bench.said(|body| if let EventBody::StepRetrying { next_at, .. } = body { *next_at } else { None });
    assert!(!next.is_empty());
    let mut events = bench.events.lock().unwrap().clone();
    assert_eq!(StreamSeal::holds(&events), Some(true));
    let stored = bench.reader().since("run-1", 0).unwrap();
    assert_eq!(StreamSeal::holds(&stored), Some(true), "without what may be missed it is the same digest");
    events.remove(1);
    assert_eq!(StreamSeal::holds(&events), Some(false));
    events.pop();
    assert_eq!(StreamSeal::holds(&events), None);
}

#[test]
fn a_long_step_lets_the_run_say_that_it_lives_and_what_waits_longest() {
    let mut steps = vec![step("nodes/a/n0", &[]), step("nodes/b/n0", &[])];
    steps.push(step("platform/release/c", &[]));
    let plan = plan(steps);
    let mut bench = Bench::new();
    bench.options.parallel = 1;
    for step in &plan.steps {
        bench.rule(step.id.as_str(), Rule { seconds: 35, ..Rule::default() });
    }
    bench.run(&plan);
    let beats = bench.said(|body| match body {
        EventBody::RunHeartbeat { running, ready, slots, oldest_wait } => {
            Some((*running, *ready, *slots, oldest_wait.clone().map(|wait| wait.step.to_string())))
        }
        _ => None,
    });
    assert!(beats.len() >= 9, "{beats:?}");
    let first = beats.first().unwrap();
    assert_eq!((first.0, first.1, first.2), (1, 2, 1));
    assert!(first.3.is_some());
    assert!(bench.reader().since("run-1", 0).unwrap().iter().all(|event| event.body.kind() != "run.heartbeat"));
}
