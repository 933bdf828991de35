//! A fresh apply against the longest chain of its steps, by the run's own events.

use crate::ground::{Ground, plan_of};
use jiff::Timestamp;
use plinth_model::StepId;
use serde_json::{Value, json};
use std::collections::HashMap;

/// When a step began and how long it took, seconds.
struct Took {
    began: f64,
    seconds: f64,
}

/// How long the last run took from its first step to its last, and how long its longest chain of needs would have taken alone.
pub(crate) fn against_the_longest_chain(ground: &Ground) -> Value {
    let took = took(&ground.events());
    let plan = plan_of(&ground.path("site.yaml"));
    let mut chains: HashMap<&StepId, (f64, Vec<&StepId>)> = HashMap::new();
    // Steps stand behind what they need.
    for step in &plan.steps {
        let before = step.needs.iter().filter_map(|need| chains.get(need)).max_by(|a, b| a.0.total_cmp(&b.0));
        let (mut seconds, mut steps) = before.cloned().unwrap_or_default();
        seconds += took.get(step.id.as_str()).map_or(0.0, |took| took.seconds);
        steps.push(&step.id);
        chains.insert(&step.id, (seconds, steps));
    }
    let (longest, steps) = chains.into_values().max_by(|a, b| a.0.total_cmp(&b.0)).expect("the plan has steps");
    let begins = took.values().map(|took| took.began).fold(f64::INFINITY, f64::min);
    let ends = took.values().map(|took| took.began + took.seconds).fold(f64::NEG_INFINITY, f64::max);
    let all: f64 = took.values().map(|took| took.seconds).sum();
    let chain: Vec<String> = steps
        .iter()
        .map(|id| format!("{id} {:.1} s", took.get(id.as_str()).map_or(0.0, |took| took.seconds)))
        .collect();
    json!({"seconds": ends - begins, "chain": longest, "oneByOne": all, "steps": took.len(), "longest": chain})
}

fn took(events: &[Value]) -> HashMap<String, Took> {
    let ended = events.iter().filter(|event| event["event"] == "step.finished");
    ended
        .map(|event| {
            let at: Timestamp = event["at"].as_str().unwrap().parse().unwrap();
            let seconds = event["seconds"].as_f64().unwrap();
            let began = at.as_duration().as_secs_f64() - seconds;
            (event["step"].as_str().unwrap().to_owned(), Took { began, seconds })
        })
        .collect()
}
