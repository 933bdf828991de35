//! What differs between two runs, as text.

use super::{Look, list, short};
use plinth_analysis::{Difference, RunDiff, RunEntry};
use plinth_model::{StepState, amount};
use serde_json::Value;

/// Differences of a group that are told; the rest is counted.
const TOLD: usize = 40;

/// Differences under their titles: what the desired state changed, what touches a failure, the rest. A title without any is left out.
#[must_use]
pub fn diff_groups(diff: &RunDiff) -> Vec<(&'static str, Vec<&Difference>)> {
    let all: [(&str, Vec<&Difference>); 3] = [
        ("wanted otherwise", group_of(diff, |one| one.is_cause())),
        ("touches what failed", group_of(diff, |one| !one.is_cause() && one.touches_failure)),
        ("elsewhere", group_of(diff, |one| !one.is_cause() && !one.touches_failure)),
    ];
    all.into_iter().filter(|(_, group)| !group.is_empty()).collect()
}

fn group_of(diff: &RunDiff, is_in: impl Fn(&Difference) -> bool) -> Vec<&Difference> {
    diff.differences.iter().filter(|one| is_in(one)).collect()
}

/// Both runs, then what differs.
#[must_use]
pub fn diff(earlier: &RunEntry, later: &RunEntry, diff: &RunDiff, look: Look) -> String {
    let mut lines = vec![format!("from {}", list::head(earlier, look)), format!("to   {}", list::head(later, look))];
    if !diff.plans_are_read {
        lines.push("the plan of one of them is of another release: only outcomes and times are compared".to_owned());
    }
    if diff.differences.is_empty() {
        lines.push("nothing differs: the same site, the same versions, the same outcomes, times in band".to_owned());
        return look.fitted(&lines);
    }
    for (title, group) in diff_groups(diff) {
        lines.push(look.palette.bold(&format!("{title}: {}", amount(group.len(), "difference"))));
        lines.extend(group.iter().take(TOLD).map(|difference| line(difference)));
        if group.len() > TOLD {
            lines.push(format!("  and {} more", group.len() - TOLD));
        }
    }
    look.fitted(&lines)
}

fn line(difference: &Difference) -> String {
    let of = if difference.steps > 1 && !is_of_nodes(difference) {
        format!(", {}", amount(difference.steps, "step"))
    } else {
        String::new()
    };
    format!("  {:<9}  {}{of}  {}", difference.what, short(&difference.subject), change(difference))
}

fn is_of_nodes(difference: &Difference) -> bool {
    matches!(difference.what, "left out" | "taken in")
}

/// `release.version: v25.3.3 -> v25.10.1`; of what stands in one of the runs only, whether it is new.
fn change(difference: &Difference) -> String {
    let Difference { what, name, before, after, .. } = difference;
    let named = if name.is_empty() { String::new() } else { format!("{}: ", short(name)) };
    let (before, after) = (value(what, before), value(what, after));
    match (*what, before.is_empty(), after.is_empty()) {
        ("content", ..) => format!("another one: {}", short(name)),
        ("site" | "inventory" | "catalog", ..) => "is another one".to_owned(),
        ("node", true, true) => format!("{}: other ones", short(name)),
        (_, true, true) => short(name),
        ("left out" | "taken in" | "new step", true, false) => after,
        ("gone step", false, true) => before,
        (_, true, false) => format!("{named}{after} (added)"),
        (_, false, true) => format!("{named}{before} (removed)"),
        (_, false, false) => format!("{named}{before} -> {after}"),
    }
}

/// A value as people read it: `not run` for `not-run`.
fn value(what: &str, text: &str) -> String {
    let state = (what == "outcome").then(|| serde_json::from_value::<StepState>(Value::from(text)).ok()).flatten();
    state.map_or_else(|| short(text), |state| state.told().to_owned())
}
