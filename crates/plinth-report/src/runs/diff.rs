//! What differs between two runs, as text.

use super::{Look, list, short};
use plinth_analysis::{Difference, RunDiff, RunEntry};
use plinth_model::amount;

/// Differences that are told; the rest is counted by sort.
const TOLD: usize = 40;

/// Both runs, then what differs: what touches a failure first.
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
    let (near, far): (Vec<&Difference>, Vec<&Difference>) =
        diff.differences.iter().partition(|difference| difference.touches_failure);
    for (title, group) in [("touches what failed", near), ("elsewhere", far)] {
        if !group.is_empty() {
            lines.push(look.palette.bold(&format!("{title}: {}", amount(group.len(), "difference"))));
            lines.extend(group.iter().take(TOLD).map(|difference| line(difference)));
            if group.len() > TOLD {
                lines.push(format!("  and {} more", group.len() - TOLD));
            }
        }
    }
    look.fitted(&lines)
}

fn line(difference: &Difference) -> String {
    let Difference { what, subject, before, after, .. } = difference;
    let change = match (before.is_empty(), after.is_empty()) {
        (true, _) => short(after),
        (_, true) => short(before),
        _ => format!("{} -> {}", short(before), short(after)),
    };
    format!("  {what:<9}  {}  {change}", short(subject))
}
