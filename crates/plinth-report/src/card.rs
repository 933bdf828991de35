//! A card of what failed for one cause: the same in the terminal, in `plinth why` and in `plinth runs what-failed`.

use crate::findings::{LABEL, labelled};
use crate::style::{Palette, Sign, cleaned, short, told};
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use plinth_model::run::CommandFailure;
use plinth_model::span::clock;

/// Causes that are told with their card, and causes that are told at all; more are counted.
const IN_FULL: usize = 8;
const TOLD: usize = 24;
/// Steps of a group that are named; the rest is counted.
const NAMED: usize = 3;
/// Lines of evidence and of a program's last words.
const LINES: usize = 6;

/// Longest command that is told, characters: a dozen lines of a terminal. The JSON has all of it, and the page too.
const COMMAND: usize = 1_200;

/// What stands in a card beside its headline: one line each, labelled and not indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All that is known.
    Whole,
    /// Why and what to do, at the moment it failed: how many others there are is not known yet.
    Why,
    /// What is known at the end only: which steps, since when, what they hold up, what they share.
    Extent,
}

/// A card in full, indented as a part of a longer text.
pub(crate) fn card(group: &FailureGroup, palette: Palette) -> Vec<String> {
    let rows = rows(group, Part::Whole, palette).into_iter().map(|row| format!("    {row}"));
    std::iter::once(format!("  {}", titled(group, palette))).chain(rows).collect()
}

/// Cards in full of the first causes, a line for those behind, and a number for the rest.
pub(crate) fn cards(groups: &[FailureGroup], palette: Palette) -> Vec<String> {
    bounded(groups, Part::Whole, palette)
}

/// The same with so much of each card.
pub(crate) fn bounded(groups: &[FailureGroup], part: Part, palette: Palette) -> Vec<String> {
    let mut lines = Vec::new();
    for (told, group) in groups.iter().take(TOLD).enumerate() {
        lines.push(format!("  {}", titled(group, palette)));
        if told < IN_FULL {
            lines.extend(rows(group, part, palette).iter().map(|row| format!("    {row}")));
        }
    }
    if groups.len() > TOLD {
        let more = amount(groups.len() - TOLD, "more cause");
        lines.push(format!("  and {more}: `plinth runs what-failed` tells them"));
    }
    lines
}

/// The headline with its sign.
pub(crate) fn titled(group: &FailureGroup, palette: Palette) -> String {
    let (code, rest) = headline(group);
    format!("{} {} {rest}", palette.painted(Sign::Failed), palette.bold(&code))
}

/// The same where there is one line: why comes before which ones. `node.connection-lost`, `on 47 nodes: no route to host; dgx-[001-047]`.
pub(crate) fn brief(group: &FailureGroup) -> (String, String) {
    let (code, rest) = headline(group);
    if group.node_count < 2 {
        return (code, rest);
    }
    let place = format!("on {}", amount(group.node_count, "node"));
    (code, format!("{place}: {}; {}", short(&group.message), short(&group.nodes)))
}

/// `node.connection-lost`, `on 47 nodes, dgx-[001-047]: no route to host`.
pub(crate) fn headline(group: &FailureGroup) -> (String, String) {
    let code = if group.code.is_empty() { "failed" } else { &group.code };
    (short(code), format!("{}: {}", short(&group.place()), short(&group.message)))
}

/// The rows of a card.
pub(crate) fn rows(group: &FailureGroup, part: Part, palette: Palette) -> Vec<String> {
    let mut rows = Vec::new();
    if part != Part::Why {
        rows.extend(extent(group, palette));
    }
    if part != Part::Extent {
        rows.extend(why(group, palette));
    }
    rows
}

fn extent(group: &FailureGroup, palette: Palette) -> Vec<String> {
    let held = if group.holds_up > 0 { amount(group.holds_up, "step") } else { String::new() };
    let steps = if group.steps.len() > 1 { named(group) } else { String::new() };
    let rows = [
        ("steps", steps),
        ("first", format!("{} at {}", group.first, clock(group.first_s))),
        ("holds up", held),
        ("shared", group.shared.join(", ")),
    ];
    rows.iter().filter(|(_, text)| !text.is_empty()).map(|(label, text)| labelled(label, text, palette)).collect()
}

/// What was seen, the program with its end and its last lines, where all of it is, what to do. What the headline says is not said again.
fn why(group: &FailureGroup, palette: Palette) -> Vec<String> {
    let said = short(&group.message);
    let new = group.evidence.iter().filter(|line| !said.contains(line.as_str()));
    let new: Vec<&String> = new.collect();
    let label = |n: usize| if n == 0 { "evidence" } else { "" };
    let mut rows: Vec<String> =
        new.iter().take(LINES).enumerate().map(|(n, line)| labelled(label(n), line, palette)).collect();
    if new.len() > LINES {
        rows.push(labelled("", &format!("and {}", amount(new.len() - LINES, "more line")), palette));
    }
    rows.extend(group.failure.iter().flat_map(|failure| program(failure, palette)));
    let owner = if group.owner.is_empty() { String::new() } else { format!(" ({})", group.owner) };
    rows.extend((!group.fix.is_empty()).then(|| labelled("fix", &format!("{}{owner}", told(&group.fix)), palette)));
    rows
}

fn named(group: &FailureGroup) -> String {
    let first: Vec<&str> = group.steps.iter().take(NAMED).map(|step| step.as_str()).collect();
    match group.steps.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The command with how it ended where that is known: one that did not get that far, or was cut off, was only asked for. Then its last lines, and the file with all of them.
fn program(failure: &CommandFailure, palette: Palette) -> Vec<String> {
    let ending = failure.ending().map(|ending| format!(", which {ending}")).unwrap_or_default();
    let command = if failure.command.is_empty() { "a program" } else { &failure.command };
    let label = if ending.is_empty() { "asked" } else { "ran" };
    let mut rows = vec![labelled(label, &format!("{}{ending}", cleaned(command, COMMAND)), palette)];
    let from = failure.tail.len().saturating_sub(LINES);
    rows.extend(failure.tail.iter().skip(from).map(|line| format!("{:LABEL$}| {}", "", short(line))));
    rows.extend(failure.log.iter().map(|log| labelled("log", log, palette)));
    rows
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scripted::Script;
    use plinth_analysis::{Traits, failure_groups};
    use plinth_model::{Code, Finding, RunView};

    #[test]
    fn what_to_do_is_told_to_its_end_and_so_is_what_was_seen() {
        let long = |begin: &str| format!("{begin}{} and this is its end", ", and then some more of it".repeat(30));
        let finding = Finding::error(Code::named("a.b"), "lab", long("it said: "))
            .evidence("and this is its end")
            .evidence(long("seen: "))
            .fix(long("look: "));
        let mut script = Script::new();
        script.begin(1, 1).fail(1.0, "kubernetes/deploy/lab", "it failed", finding);
        let groups = failure_groups(&RunView::of(&script.events()), &Traits::new());
        let rows = card(&groups[0], Palette::PLAIN);
        let of = |label: &str| rows.iter().filter(|row| row.trim_start().starts_with(label)).collect::<Vec<_>>();
        assert!(of("fix ")[0].ends_with("and this is its end (you)"), "{rows:?}");
        // The headline is cut before its end, so what was seen there is told.
        assert!(of("X ")[0].ends_with(" …") && of("evidence ")[0].ends_with("and this is its end"), "{rows:?}");
        assert!(of("seen: ")[0].ends_with("some more of it and this is its end"), "{rows:?}");
    }
}
