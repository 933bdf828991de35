//! Every step: by kind with counts, by node, and one by one where equal outcomes share a row.

use super::head::told;
use super::line;
use crate::export::Exported;
use maud::{Markup, html};
use plinth_analysis::{Row, ranges};
use plinth_model::run::{StepState, Tally};
use plinth_model::span::{clock, span};
use plinth_model::{Stage, StepId, amount};
use std::collections::BTreeMap;

/// Different texts of one kind that have a row each, where times are left out.
const TEXTS: usize = 20;
/// Stands for the name of its node in a text about several.
const NODE: &str = "NODE";
/// Shorter names are parts of many words.
const SHORTEST: usize = 3;

pub(super) fn kinds(run: &Exported<'_>) -> Markup {
    html! {
        section {
            h2 { "Kinds of steps" }
            table {
                caption { "By stage" }
                thead {
                    tr {
                        @for name in ["Stage", "Kind", "Steps", "Half took at most", "Longest"] { th scope="col" { (name) } }
                    }
                }
                tbody {
                    @for kind in run.shown.kinds {
                        tr {
                            td { (kind.stage) }
                            th scope="row" { (kind.kind) }
                            td { (states(&kind.tally)) }
                            td { (kind.median_s.map_or_else(|| "-".to_owned(), span)) }
                            td { (kind.longest_s.map_or_else(|| "-".to_owned(), span)) }
                        }
                    }
                }
            }
        }
    }
}

fn states(tally: &Tally) -> Markup {
    let parts = told(tally);
    html! {
        @for (place, part) in parts.iter().enumerate() {
            @if place > 0 { ", " }
            @if part.ends_with(" failed") { strong class="bad" { (part) } } @else { (part) }
        }
    }
}

/// Nodes with the same counts share a row, those with failures first.
pub(super) fn nodes(run: &Exported<'_>) -> Markup {
    let mut rows: BTreeMap<String, (Tally, Vec<&str>)> = BTreeMap::new();
    for (node, tally) in &run.view().nodes {
        let row = rows.entry(told(tally).join(", ")).or_insert_with(|| (*tally, Vec::new()));
        row.1.push(node);
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by(|(a, x), (b, y)| b.failed.cmp(&a.failed).then(b.not_run.cmp(&a.not_run)).then_with(|| x.cmp(y)));
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "Nodes" }
                table {
                    caption { (amount(run.view().nodes.len(), "node")) ", those with the same counts together" }
                    thead { tr { th scope="col" { "Nodes" } th scope="col" { "How many" } th scope="col" { "Their steps" } } }
                    tbody {
                        @for (tally, names) in &rows {
                            tr {
                                th scope="row" { (line_of(&ranges(names.iter().copied()))) }
                                td { (names.len()) }
                                td { (states(tally)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Names are ours, and cleaned where they came in; a list of a thousand is not cut.
fn line_of(text: &str) -> String {
    crate::style::clean(text)
}

/// Steps of a kind with the same outcome and the same text.
struct Group<'a> {
    state: StepState,
    text: String,
    rows: Vec<&'a Row>,
}

pub(super) fn all(run: &Exported<'_>, times: bool) -> Markup {
    let mut kinds: BTreeMap<(Stage, &str), Vec<&Row>> = BTreeMap::new();
    for row in &run.columns.rows {
        kinds.entry((row.stage, &row.kind)).or_default().push(row);
    }
    html! {
        section {
            h2 { "Every step" }
            @if times { p { "With the time since the run began at which it began, and how long it took." } }
            @for ((_, kind), rows) in &kinds {
                details {
                    summary { (kind) ": " (amount(rows.len(), "step")) }
                    (table(kind, &groups(run, rows), times))
                }
            }
            @let silent = run.view().pending();
            @if silent > 0 { p { (amount(silent, "step")) " of the plan had not begun, and nothing was said of them." } }
        }
    }
}

fn table(kind: &str, groups: &[Group<'_>], times: bool) -> Markup {
    let shown = if times { groups.len() } else { groups.len().min(TEXTS) };
    let rest: usize = groups.iter().skip(shown).map(|group| group.rows.len()).sum();
    html! {
        table {
            caption { "Steps of " (kind) }
            thead { tr { th scope="col" { "Outcome" } th scope="col" { "What was found or done" } th scope="col" { "Where" } } }
            tbody {
                @for group in groups.iter().take(shown) {
                    tr {
                        td { @if group.state == StepState::Failed { strong class="bad" { "failed" } } @else { (word(group.state)) } }
                        td { (group.text) }
                        td { @if times { (timed(&group.rows)) } @else { (folded(&group.rows)) } }
                    }
                }
                @if rest > 0 { tr { td { "various" } td { "other texts" } td { (amount(rest, "step")) } } }
            }
        }
    }
}

/// As people say it.
fn word(state: StepState) -> String {
    state.word().replace('-', " ")
}

/// Worst first, then most.
fn groups<'a>(run: &Exported<'_>, rows: &[&'a Row]) -> Vec<Group<'a>> {
    let mut found: BTreeMap<(u8, StepState, String), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        found.entry((rank(row.state), row.state, text(run, row))).or_default().push(row);
    }
    let mut groups: Vec<Group<'a>> =
        found.into_iter().map(|((_, state, text), rows)| Group { state, text, rows }).collect();
    groups.sort_by_key(|group| (rank(group.state), std::cmp::Reverse(group.rows.len())));
    groups
}

const fn rank(state: StepState) -> u8 {
    match state {
        StepState::Failed => 0,
        StepState::Unknown => 1,
        StepState::Looking | StepState::Acting => 2,
        StepState::NotRun => 3,
        StepState::Pending => 4,
        StepState::Changed => 5,
        StepState::Unchanged => 6,
        StepState::Skipped => 7,
    }
}

/// What was said of a step, without the name of its node: equal news about different nodes is equal.
fn text(run: &Exported<'_>, row: &Row) -> String {
    let detail = run.detail(row);
    let node = row.node.as_deref().unwrap_or_default();
    let common = if node.len() < SHORTEST { detail } else { detail.replace(node, NODE) };
    let tries = if row.attempts > 1 { format!(" (after {} attempts)", row.attempts) } else { String::new() };
    line(&common) + &tries
}

fn timed(rows: &[&Row]) -> String {
    let one = |row: &&Row| match (row.started_s, row.took_s()) {
        (Some(began), Some(took)) => format!("{} at {} for {}", target(&row.step), clock(began), span(took)),
        (Some(began), None) => format!("{} since {}", target(&row.step), clock(began)),
        (None, _) => target(&row.step).to_owned(),
    };
    rows.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn folded(rows: &[&Row]) -> String {
    let names = ranges(rows.iter().map(|row| target(&row.step)));
    let took: Vec<f64> = rows.iter().filter_map(|row| row.took_s()).collect();
    let longest = took.iter().copied().reduce(f64::max);
    let shortest = took.iter().copied().reduce(f64::min);
    match shortest.zip(longest) {
        Some((shortest, longest)) => format!("{names}; {} to {}", span(shortest), span(longest)),
        None => names,
    }
}

fn target(step: &StepId) -> &str {
    step.target()
}
