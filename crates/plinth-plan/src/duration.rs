//! How long a plan usually takes: the longest chain of its steps, by rough figures of their kinds. A range, never a promise.

use plinth_model::plan::{Change, Plan, Step};
use plinth_model::steps::KubesprayRun;
use plinth_model::{StepId, Work};
use std::collections::HashMap;

/// A small cluster took the playbook 6 to 15 min in published logs, downloads included.
const PLAYBOOK_S: (u64, u64) = (360, 900);
/// 350 nodes took 3 h 40 min in a published log: 38 s for each further node.
const PLAYBOOK_PER_NODE_S: u64 = 38;

/// Seconds from the shortest to the longest that it usually takes; none when nothing is to be done.
#[must_use]
pub fn usual(plan: &Plan) -> Option<(u64, u64)> {
    let mut ends: HashMap<&StepId, (u64, u64)> = HashMap::with_capacity(plan.steps.len());
    let mut whole = (0, 0);
    for step in &plan.steps {
        let before = step.needs.iter().filter_map(|need| ends.get(need)).fold((0, 0), |a, b| longer(a, *b));
        let own = if counts(step) { of_step(&step.work) } else { (0, 0) };
        let end = (before.0 + own.0, before.1 + own.1);
        ends.insert(&step.id, end);
        whole = longer(whole, end);
    }
    (plan.pending() > 0).then_some(whole)
}

/// What is done already, skipped, or left out takes no time.
const fn counts(step: &Step) -> bool {
    matches!(step.change, Change::Apply { .. } | Change::Maybe | Change::Check)
}

fn longer(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    (a.0.max(b.0), a.1.max(b.1))
}

/// Half to twice the usual figure of its kind; the playbook has better ones.
fn of_step(work: &Work) -> (u64, u64) {
    match work {
        Work::KubesprayRun(KubesprayRun { targets, .. }) => {
            let nodes = u64::try_from(targets.len()).unwrap_or(u64::MAX);
            (PLAYBOOK_S.0, PLAYBOOK_S.1.saturating_add(nodes.saturating_mul(PLAYBOOK_PER_NODE_S)))
        }
        work => {
            let usual = u64::from(work.properties().expected_s);
            (usual / 2, usual * 2)
        }
    }
}

/// `25 min to 1 h 20 min`; whole minutes, since more would claim to know.
#[must_use]
pub fn words((low, high): (u64, u64)) -> String {
    let minutes = |seconds: u64| seconds.div_ceil(60).max(1);
    let text = |minutes: u64| match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m:02} min"),
    };
    match (minutes(low), minutes(high)) {
        (_, 1) => "about a minute".to_owned(),
        (low, high) if low == high => format!("about {}", text(low)),
        (low, high) => format!("{} to {}", text(low), text(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn ranges_in_words() {
        assert_eq!(words((1, 50)), "about a minute");
        assert_eq!(words((700, 4800)), "12 min to 1 h 20 min");
        assert_eq!(words((3600, 7200)), "1 h to 2 h");
    }
}
