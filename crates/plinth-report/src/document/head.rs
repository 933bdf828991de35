//! What a reader needs first: which run, how it ended, whether all of it is known, what to do next.

use super::line;
use crate::export::Exported;
use crate::runs::sentence;
use maud::{Markup, html};
use plinth_analysis::ranges;
use plinth_model::run::{RunState, Tally};
use plinth_model::span::span;
use plinth_model::{RunView, amount};

/// Gaps that are named.
const GAPS: usize = 10;

pub(super) fn head(run: &Exported<'_>, left_out: Option<&str>) -> Markup {
    let (entry, view) = (run.shown.entry, run.shown.view);
    html! {
        header {
            h1 { (run.site) ": " (line(entry.command())) " " span class=(class(entry.state)) { (entry.state.word()) } }
            p class="lead" { (counts(view)) }
            @if let Some(text) = sentence(view, run.shown.waiting) { p { strong { (line(&text)) } } }
            @if let Some(reason) = &view.stopping { p { (line(reason)) } }
            @for text in doubts(run) { p class="doubt" role="note" { strong { "Note: " } (text) } }
            @if let Some(text) = left_out { p class="doubt" role="note" { strong { "Note: " } (text) } }
            (facts(run))
        }
    }
}

fn facts(run: &Exported<'_>) -> Markup {
    let (entry, view) = (run.shown.entry, run.shown.view);
    let without = line(&ranges(entry.without.iter().map(|node| node.as_str())));
    let time = if entry.rehearsal { format!("{} of virtual time", span(entry.seconds)) } else { span(entry.seconds) };
    let mut rows: Vec<(&str, String)> = vec![("Run", line(&entry.run))];
    rows.extend(entry.started.map(|at| ("Began", format!("{at:.0}"))));
    rows.push(("Took", time));
    rows.extend(entry.who.as_ref().map(|who| ("By", line(&who.to_string()))));
    rows.extend(entry.plan.as_ref().map(|plan| ("Plan", format!("{}, {}", plan.short(), amount(entry.steps, "step")))));
    rows.extend(entry.continues_run.as_ref().map(|run| ("Continues", line(run))));
    rows.extend((!without.is_empty()).then_some(("Without", without)));
    rows.extend(view.at.map(|at| ("As of", format!("{at:.0}, event {}", view.seq()))));
    rows.push(("Written by", format!("plinth {}", run.plinth)));
    html! {
        dl class="facts" { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } }
    }
}

/// `9 changed, 1 failed and 3 not run of 13 steps; 1 of 5 nodes has a failed step`.
fn counts(view: &RunView) -> String {
    let counts = view.counts();
    let all = view.run.as_ref().map_or(0, |run| run.steps);
    let mut parts = told(&view.tally());
    let pending = if view.end.is_none() { view.pending() } else { 0 };
    parts.extend((pending > 0).then(|| format!("{pending} to come")));
    let nodes = match (counts.hosts, counts.hosts_failed) {
        (0, _) => String::new(),
        (all, 0) => format!("; {}", amount(all, "node")),
        (all, failed) => format!("; {failed} of {} with a failed step", amount(all, "node")),
    };
    let warnings =
        if counts.warnings > 0 { format!("; {}", amount(counts.warnings, "warning")) } else { String::new() };
    format!("{} of {}{nodes}{warnings}.", parts.join(", "), amount(all, "step"))
}

/// Steps by state, in words, without what is zero.
pub(super) fn told(tally: &Tally) -> Vec<String> {
    let parts = [
        (tally.failed, "failed"),
        (tally.running(), "running"),
        (tally.unknown, "interrupted"),
        (tally.not_run, "not run"),
        (tally.changed, "changed"),
        (tally.unchanged, "unchanged"),
        (tally.skipped, "skipped"),
    ];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect()
}

/// Why not everything on this page is certain.
fn doubts(run: &Exported<'_>) -> Vec<String> {
    let (entry, view) = (run.shown.entry, run.shown.view);
    let mut texts = Vec::new();
    if entry.rehearsal {
        texts.push("this is a rehearsal: nothing real was touched, and its times are made up.".to_owned());
    }
    match entry.state {
        RunState::Running => texts.push("the run goes on; this is how far it had come.".to_owned()),
        RunState::Interrupted => texts.push(
            "the end of the run was not seen: its process was killed or lost. The next run looks first at what was in flight."
                .to_owned(),
        ),
        _ => {}
    }
    for gap in view.gaps().iter().take(GAPS) {
        texts.push(format!("events {} to {} are missing.", gap.after + 1, gap.until));
    }
    if view.gaps().len() > GAPS {
        texts.push(format!("{} more gaps are not named.", view.gaps().len() - GAPS));
    }
    if run.shown.whole == Some(false) {
        texts.push(
            "these events are not all that the run had: their digest is not the one that it ended with.".to_owned(),
        );
    }
    texts
}

pub(super) fn next(run: &Exported<'_>) -> Markup {
    let next = run.view().end.as_ref().map(|end| end.next.as_slice()).unwrap_or_default();
    html! {
        @if !next.is_empty() {
            section {
                h2 { "What to do next" }
                ol { @for one in next { li { (line(one)) } } }
            }
        }
    }
}

/// Colour of a run; the word stands beside it.
const fn class(state: RunState) -> &'static str {
    match state {
        RunState::Done => "good",
        RunState::Partly => "bad",
        RunState::Running => "busy",
        RunState::Stopped | RunState::Interrupted => "doubt",
        RunState::None => "plain",
    }
}
