//! How long a plan usually takes: the longest chain of its steps. Of a step that this site did before, what it took then; of any other one a
//! rough figure of its kind, the one that rehearsals are made of. A range, never a promise.

use plinth_model::plan::{Change, Expected, Plan, Step};
use plinth_model::steps::KubesprayRun;
use plinth_model::{StepId, Work};
use std::collections::{BTreeMap, HashMap};

/// A small cluster took the playbook 6 to 15 min in published logs, downloads included.
const PLAYBOOK_S: (u64, u64) = (360, 900);
/// 350 nodes took 3 h 40 min in a published log: 38 s for each further node.
const PLAYBOOK_PER_NODE_S: u64 = 38;

/// Seconds that steps of this site took when they last changed something, by its journal.
pub type Took = BTreeMap<StepId, f64>;

/// How long it usually takes; none when nothing is to be done.
#[must_use]
pub fn usual(plan: &Plan, took: &Took) -> Option<Expected> {
    let known = Known::of(took);
    let mut ends: HashMap<&StepId, (u64, u64)> = HashMap::with_capacity(plan.steps.len());
    let (mut whole, mut measured, mut counted) = ((0, 0), 0, 0);
    for step in &plan.steps {
        let before = step.needs.iter().filter_map(|need| ends.get(need)).fold((0, 0), |a, b| longer(a, *b));
        let own = if counts(step) {
            let before = known.of_step(step);
            counted += 1;
            measured += usize::from(before.is_some());
            before.unwrap_or_else(|| of_kind(&step.work))
        } else {
            (0, 0)
        };
        let end = (before.0 + own.0, before.1 + own.1);
        ends.insert(&step.id, end);
        whole = longer(whole, end);
    }
    let (shortest_s, longest_s) = whole;
    (plan.pending() > 0).then_some(Expected { shortest_s, longest_s, steps: counted, measured })
}

/// What is done already, skipped, or left out takes no time.
const fn counts(step: &Step) -> bool {
    matches!(step.change, Change::Apply { .. } | Change::Maybe | Change::Check)
}

fn longer(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    (a.0.max(b.0), a.1.max(b.1))
}

/// What is known of the site's own runs.
struct Known<'a> {
    took: &'a Took,
    /// Shortest and longest of the same work on any node: `nodes/account`.
    groups: HashMap<(&'a str, &'a str), (f64, f64)>,
}

impl<'a> Known<'a> {
    fn of(took: &'a Took) -> Self {
        let mut groups: HashMap<(&str, &str), (f64, f64)> = HashMap::new();
        for (step, seconds) in took {
            let group = groups.entry((step.area(), step.verb())).or_insert((*seconds, *seconds));
            *group = (group.0.min(*seconds), group.1.max(*seconds));
        }
        Self { took, groups }
    }

    /// Three quarters to one and a half of what it took before: no two runs are alike. Of a node that is new, what others took.
    fn of_step(&self, step: &Step) -> Option<(u64, u64)> {
        let own = self.took.get(&step.id).map(|seconds| (*seconds, *seconds));
        let others = || {
            let group = (step.id.area(), step.id.verb());
            step.work.node().and_then(|_| self.groups.get(&group).copied())
        };
        let (low, high) = own.or_else(others)?;
        Some((whole(low * 0.75), whole(high * 1.5).max(1)))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "such a cast saturates")]
fn whole(seconds: f64) -> u64 {
    seconds.round() as u64
}

/// Half to twice the usual figure of its kind; the playbook has better ones.
fn of_kind(work: &Work) -> (u64, u64) {
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

/// `usually takes 25 min to 1 h 20 min, by rough figures for each kind of step`.
#[must_use]
pub fn sentence(expected: &Expected) -> String {
    let Expected { shortest_s, longest_s, steps, measured } = expected;
    let from = match measured {
        0 => "by rough figures for each kind of step".to_owned(),
        all if all == steps => "by what its steps took on this site before".to_owned(),
        some => format!(
            "by what {some} of its {steps} steps took on this site before, and by rough figures for the kinds of the others"
        ),
    };
    format!("usually takes {}, {from}", words((*shortest_s, *longest_s)))
}

/// `25 min to 1 h 20 min`; whole minutes, since more would claim to know.
fn words((low, high): (u64, u64)) -> String {
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
    use super::*;

    #[test]
    fn ranges_in_words() {
        assert_eq!(words((1, 50)), "about a minute");
        assert_eq!(words((700, 4800)), "12 min to 1 h 20 min");
        assert_eq!(words((3600, 7200)), "1 h to 2 h");
    }

    #[test]
    fn where_the_figures_are_from_is_said() {
        let of = |measured| sentence(&Expected { shortest_s: 600, longest_s: 1200, steps: 3, measured });
        assert_eq!(of(0), "usually takes 10 min to 20 min, by rough figures for each kind of step");
        assert!(of(3).ends_with("by what its steps took on this site before"), "{}", of(3));
        assert!(of(2).contains("what 2 of its 3 steps took"), "{}", of(2));
    }
}
