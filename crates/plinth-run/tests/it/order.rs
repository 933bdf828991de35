//! Over random plans: every step runs after its needs, exactly once, whatever ends first.

use crate::plans::{plan, step};
use crate::script::{Bench, Rule};
use plinth_model::{Outcome, Plan};
use proptest::prelude::*;

/// Steps with needs in front of them, and how long each takes.
fn plans() -> impl Strategy<Value = (Plan, Vec<u64>)> {
    prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1_u64..50, 0_u8..6), 1..40)
        .prop_map(|rows| {
            let name = |index: usize, kind: u8| match kind {
                0 => format!("nodes/s{index}/n0"),
                1 => format!("nodes/s{index}/n1"),
                2 => format!("kubernetes/deploy/d{index}"),
                _ => format!("platform/release/p{index}"),
            };
            let names: Vec<String> = rows.iter().enumerate().map(|(i, (_, _, kind))| name(i, *kind)).collect();
            let steps = rows.iter().enumerate().map(|(i, (needs, _, _))| {
                let needs: Vec<&str> =
                    needs.iter().filter(|_| i > 0).map(|need| names[need.index(i)].as_str()).collect();
                step(&names[i], &needs)
            });
            (plan(steps.collect()), rows.iter().map(|row| row.1).collect())
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_step_runs_once_after_its_needs((plan, seconds) in plans(), parallel in 1_usize..10) {
        let mut bench = Bench::new();
        bench.options.parallel = parallel;
        for (step, seconds) in plan.steps.iter().zip(seconds) {
            bench.rule(step.id.as_str(), Rule { seconds, ..Rule::default() });
        }
        let report = bench.run(&plan);
        prop_assert_eq!(report.outcome, Outcome::Done);
        prop_assert_eq!(report.counts.changed, plan.steps.len());
        let events = bench.events.lock().unwrap();
        let place = |wanted: &str, id: &plinth_model::StepId| events.iter().position(|event| {
            let value = serde_json::to_value(event).unwrap();
            value["event"] == wanted && value["step"] == id.as_str()
        });
        for step in &plan.steps {
            for need in &step.needs {
                prop_assert!(place("step.finished", need) < place("step.started", &step.id));
            }
        }
        drop(events);
        let mut effects = bench.effects();
        effects.sort();
        effects.dedup();
        prop_assert_eq!(effects.len(), plan.steps.len());
        let state = bench.script.state.lock().unwrap();
        prop_assert!(state.most_busy <= parallel);
        prop_assert!(state.most_per_node <= 1);
    }
}

#[test]
fn a_thousand_nodes_are_looked_at_twice_per_step_and_acted_on_once() {
    let plan = crate::plans::site(1000);
    let mut bench = Bench::new();
    let mut journal = bench.opened_with(plinth_run::Durability::Process);
    let report = bench.run_with(&plan, &mut journal).unwrap();
    assert_eq!(report.counts.changed, plan.steps.len());
    let state = bench.script.state.lock().unwrap();
    assert_eq!((state.probes.len(), state.effects.len()), (2 * plan.steps.len(), plan.steps.len()));
    assert_eq!((state.most_busy, state.most_per_node), (64, 1));
}
