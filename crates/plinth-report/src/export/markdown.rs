//! A summary in Markdown, for a step summary, a merge request or a ticket. GitHub takes 1 MiB; foreign text stands in it as text.

use super::{Exported, short};
use plinth_analysis::FailureGroup;
use plinth_model::amount;
use plinth_model::span::{clock, span};

/// Largest summary that GitHub takes, bytes.
pub const LARGEST: usize = 1024 * 1024;
/// Causes in full; more are counted.
const CAUSES: usize = 50;
/// Bytes kept for what stands behind the causes: how many more there are, and the table of kinds.
const REST: usize = 128 * 1024;
/// Lines of a program's last words.
const LINES: usize = 20;

pub(super) fn markdown(run: &Exported<'_>) -> String {
    let entry = run.shown.entry;
    let counts = run.view().counts();
    let virtual_time = if entry.rehearsal { " of virtual time (a rehearsal: nothing real was touched)" } else { "" };
    let mut lines = vec![
        format!("## plinth: {} {}", text(run.site.as_str()), entry.state.word()),
        String::new(),
        format!(
            "Run `{}`, {} after {}{virtual_time}: {} changed, {} unchanged, {} skipped, {} failed, {} not run.",
            code(&entry.run),
            amount(entry.steps, "step"),
            span(entry.seconds),
            counts.changed,
            counts.unchanged,
            counts.skipped,
            counts.failed,
            counts.not_run
        ),
    ];
    let told = causes(run.shown.groups, &mut lines);
    let more = run.shown.groups.len() - told;
    if more > 0 {
        lines.extend([
            String::new(),
            format!("And {}: `plinth runs what-failed` tells them.", amount(more, "more cause")),
        ]);
    }
    lines.extend(kinds(run));
    lines.push(String::new());
    lines.join("\n")
}

/// Adds causes as long as there is room. Answers how many.
fn causes(groups: &[FailureGroup], lines: &mut Vec<String>) -> usize {
    let bytes = |lines: &[String]| lines.iter().map(|line| line.len() + 1).sum::<usize>();
    let mut left = (LARGEST - REST).saturating_sub(bytes(lines));
    for (told, group) in groups.iter().enumerate().take(CAUSES) {
        let cause = cause(told + 1, group);
        let Some(less) = left.checked_sub(bytes(&cause)) else { return told };
        left = less;
        lines.extend(cause);
    }
    groups.len().min(CAUSES)
}

fn cause(number: usize, group: &FailureGroup) -> Vec<String> {
    let nodes = if group.nodes.is_empty() { String::new() } else { format!(" on `{}`", code(&group.nodes)) };
    let mut lines = vec![
        String::new(),
        format!("### {number}. `{}`{nodes}", code(if group.code.is_empty() { "failed" } else { &group.code })),
        String::new(),
        text(&group.message),
        String::new(),
        format!("- first: `{}` at {}", code(group.first.as_str()), clock(group.first_s)),
        format!("- {}, holds up {}", amount(group.steps.len(), "step"), amount(group.holds_up, "step")),
    ];
    lines.extend((!group.shared.is_empty()).then(|| format!("- shared: {}", text(&group.shared.join(", ")))));
    lines.extend((!group.fix.is_empty()).then(|| format!("- fix ({}): {}", text(&group.owner), text(&group.fix))));
    let tail = group.failure.as_ref().map(|failure| failure.tail.as_slice()).filter(|tail| !tail.is_empty());
    let said = tail.unwrap_or(&group.evidence);
    if !said.is_empty() {
        lines.extend([String::new(), "<details><summary>last lines</summary>".to_owned(), String::new()]);
        // Indented text is code, and nothing in it can end it.
        lines.extend(said.iter().take(LINES).map(|line| format!("    {}", short(line))));
        lines.extend([String::new(), "</details>".to_owned()]);
    }
    lines
}

fn kinds(run: &Exported<'_>) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "| steps | done | failed | not run | usually |".to_owned(),
        "|---|---:|---:|---:|---:|".to_owned(),
    ];
    for kind in run.shown.kinds {
        let tally = &kind.tally;
        let usual = kind.median_s.map(span).unwrap_or_default();
        lines.push(format!(
            "| `{}` | {} | {} | {} | {usual} |",
            code(&kind.kind),
            tally.done(),
            tally.failed,
            tally.not_run
        ));
    }
    lines
}

/// Text in which nothing is markup.
fn text(foreign: &str) -> String {
    let mut out = String::new();
    for c in short(foreign).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text between single back quotes.
fn code(foreign: &str) -> String {
    short(foreign).replace('`', "'").replace('|', "/")
}
