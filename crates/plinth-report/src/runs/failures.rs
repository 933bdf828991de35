//! What failed, by cause.

use super::{Look, short};
use crate::style::{Palette, Sign};
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use plinth_model::run::CommandFailure;
use plinth_model::span::clock;

/// Steps of a group that are named; the rest is counted.
const NAMED: usize = 3;
/// Lines of evidence and of a program's last words.
const LINES: usize = 6;

/// A card for each cause; every card in full.
#[must_use]
pub fn failures(groups: &[FailureGroup], look: Look) -> String {
    if groups.is_empty() {
        return "nothing failed".to_owned();
    }
    let failed: usize = groups.iter().map(|group| group.steps.len()).sum();
    let mut lines = vec![format!("{} failed of {}", amount(failed, "step"), amount(groups.len(), "cause"))];
    for group in groups {
        lines.extend(card(group, look.palette));
    }
    look.fitted(&lines)
}

/// What failed on how many nodes; below it why, the program, what to do.
pub(super) fn card(group: &FailureGroup, palette: Palette) -> Vec<String> {
    let mut lines = vec![headline(group, palette)];
    let mut row = |label: &str, text: &str| {
        lines.extend((!text.is_empty()).then(|| format!("    {label:<8} {}", short(text))));
    };
    row("steps", &named(group));
    row("first", &format!("{} at {}", group.first, clock(group.first_s)));
    if group.holds_up > 0 {
        row("holds up", &amount(group.holds_up, "step"));
    }
    row("shared", &group.shared.join(", "));
    for line in group.evidence.iter().take(LINES) {
        row("seen", line);
    }
    if let Some(failure) = &group.failure {
        lines.extend(program(failure));
    }
    let owner = if group.owner.is_empty() { String::new() } else { format!("{}: ", group.owner) };
    lines.extend((!group.fix.is_empty()).then(|| format!("    {:<8} {owner}{}", "fix", short(&group.fix))));
    lines
}

/// `✗ node.connection-lost on 47 nodes, dgx-[001-047]: no route to host`.
pub(super) fn headline(group: &FailureGroup, palette: Palette) -> String {
    let code = if group.code.is_empty() { "failed" } else { &group.code };
    let place = match group.node_count {
        0 if group.steps.len() == 1 => format!("in {}", group.first),
        0 => format!("in {}", amount(group.steps.len(), "step")),
        1 => format!("on {}", group.nodes),
        count => format!("on {}, {}", amount(count, "node"), group.nodes),
    };
    let sign = palette.painted(Sign::Failed);
    format!("  {sign} {} {}: {}", palette.bold(&short(code)), short(&place), short(&group.message))
}

fn named(group: &FailureGroup) -> String {
    let first: Vec<&str> = group.steps.iter().take(NAMED).map(|step| step.as_str()).collect();
    match group.steps.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The command with its end and its last lines.
pub(super) fn program(failure: &CommandFailure) -> Vec<String> {
    let ending = failure.ending().map(|ending| format!(", which {ending}")).unwrap_or_default();
    let mut lines = vec![format!("    {:<8} {}{ending}", "ran", short(&failure.command))];
    let from = failure.tail.len().saturating_sub(LINES);
    lines.extend(failure.tail.iter().skip(from).map(|line| format!("      | {}", short(line))));
    lines.extend(failure.log.as_ref().map(|log| format!("    {:<8} {}", "log", short(log))));
    lines
}
