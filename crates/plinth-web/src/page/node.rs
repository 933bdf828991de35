//! One node: what is wrong with it, its steps in order with what each took and waited for, how it went before, what it is, and the ways to
//! its neighbours.

use super::OfRun;
use super::parts::{LINES, badge, fact, moment, quoted, run_badge, short, step_link, told, took};
use crate::grid::rank;
use crate::route::{Links, Part};
use crate::source::Seen;
use maud::{Markup, html};
use plinth_analysis::{Columns, Row, RunEntry, Waiting};
use plinth_model::run::{HeldBy, RunState, StepState};
use plinth_model::span::{clock, span};
use plinth_model::{Finding, StepId};
use std::collections::HashMap;

/// Runs in which it is shown how a node stood.
const RUNS: usize = 5;

/// What is known of a node beside this run.
pub(crate) struct Known {
    /// What it said of itself.
    pub(crate) seen: Option<Seen>,
    /// All runs, oldest first.
    pub(crate) runs: Vec<RunEntry>,
}

/// The page; none: the run has no such node.
pub(crate) fn page(page: &OfRun<'_>, node: &str, known: &Known) -> Option<Markup> {
    let grid = &page.record.grid;
    let row = grid.row(node)?;
    let neighbour = |at: Option<usize>| at.and_then(|at| grid.nodes.get(at));
    let (before, after) = (neighbour(row.checked_sub(1)), neighbour(Some(row + 1)));
    let chain = chain(page, row);
    let waiting: HashMap<&StepId, &Waiting> = page.analysis.waiting.iter().map(|one| (&one.step, one)).collect();
    Some(html! {
        div.title {
            h1 { (told(node)) }
            nav.neighbours aria-label="neighbours" {
                @if let Some(before) = before { a rel="prev" href=(page.links.to(&Part::Node(before.clone()))) { "← " (told(before)) } }
                @if let Some(after) = after { a rel="next" href=(page.links.to(&Part::Node(after.clone()))) { (told(after)) " →" } }
            }
        }
        p { (super::matrix::standing(grid, &page.record.view, row)) ", " (span(super::matrix::seconds(grid, &page.record.view, row))) " of work" }
        (findings(page, node))
        table.steps {
            thead { tr { th { "State" } th { "Step" } th.num { "Began" } th.num { "Waited" } th.num { "Took" } th { "What" } } }
            tbody { @for step in chain {
                @let row = page.analysis.columns.rows.iter().find(|row| row.step == step);
                (step_row(page, &step, row, waiting.get(&step).copied()))
            } }
        }
        (history(page, node, &known.runs))
        (facts(known.seen.as_ref()))
        p { a href=(page.links.with(&Part::Steps, "", &[("q", &format!("node:{node}"))])) { "these steps, filtered" }
            " · " "what happened to it in all runs: " code { "plinth history " (quoted(node)) } }
    })
}

/// What is wrong or doubtful about it: what its steps ended with, and what was found beside them and in the plan.
fn findings(page: &OfRun<'_>, node: &str) -> Markup {
    let view = &page.record.view;
    let of_steps = view.steps.iter().filter(|(_, step)| step.node.as_deref() == Some(node));
    let of_steps = of_steps.filter_map(|(id, step)| Some((Some(id), step.finding.as_deref()?)));
    let planned = page.record.plan.iter().flat_map(|plan| &plan.findings);
    let about = view.findings.iter().chain(planned).filter(|finding| is_about(&finding.subject, node));
    let mut found: Vec<(Option<&StepId>, &Finding)> = Vec::new();
    for one in of_steps.chain(about.map(|finding| (None, finding))) {
        if !found.iter().any(|(_, known)| known.code == one.1.code && known.message == one.1.message) {
            found.push(one);
        }
    }
    html! {
        @if !found.is_empty() {
            section {
                h2 { "Findings" }
                ul.list { @for (step, finding) in found.iter().take(LINES) {
                    li.card.bad[finding.is_error()] {
                        b { (told(finding.code.as_str())) } " " (short(&finding.message))
                        @if let Some(step) = step { " " span.dim { "of " (step_link(&page.links, step)) } }
                        @if !finding.fix.is_empty() { p.fix { span.tag { (finding.owner) } " " (short(&finding.fix)) } }
                    }
                } }
                @if found.len() > LINES { p.dim { "and " (found.len() - LINES) " more" } }
            }
        }
    }
}

/// Whether a finding is about a node, alone or among others: `dgx-05`, `dgx-05, dgx-06`, `dgx-05:/raid`.
fn is_about(subject: &str, node: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    subject.split(|c| !is_name(c)).any(|word| word == node)
}

/// How it went in this run and in those before it that were about it.
fn history(page: &OfRun<'_>, node: &str, runs: &[RunEntry]) -> Markup {
    let here = (page.run(), &page.analysis.columns);
    let all = std::iter::once(here).chain(page.record.earlier());
    let known = all.filter_map(|(run, columns)| {
        let entry = runs.iter().find(|entry| entry.run == run)?;
        Some((entry, stood(columns, node, entry.state == RunState::Running)?))
    });
    let known: Vec<_> = known.take(RUNS).collect();
    html! {
        section {
            h2 { "In this run and those before it" }
            table.runs {
                thead { tr { th { "Run" } th { "Began" } th { "What" } th { "This node" } th.num { "Steps" } th.num { "Work" } } }
                tbody { @for (entry, (state, steps, seconds)) in &known {
                    @let links = Links::new(&entry.run, None);
                    tr {
                        td { (run_badge(entry.state, None)) }
                        td { a href=(links.to(&Part::Node(node.to_owned()))) { (moment(entry.started)) } }
                        td { (short(entry.command())) @if entry.rehearsal { " " span.tag { "rehearsal" } } }
                        td { (badge(*state)) }
                        td.num { (steps) }
                        td.num { (span(*seconds)) }
                    }
                } }
            }
        }
    }
}

/// The worst state of its steps in a run, how many they are, and their seconds; none where the run was not about it.
fn stood(columns: &Columns, node: &str, goes_on: bool) -> Option<(StepState, usize, f64)> {
    let rows: Vec<&Row> = columns.rows.iter().filter(|row| row.node.as_deref() == Some(node)).collect();
    // Of a run that does not go on, nothing is at work any more.
    let state = |row: &&Row| if row.state.is_running() && !goes_on { StepState::Unknown } else { row.state };
    let worst = rows.iter().map(state).min_by_key(|state| rank(*state))?;
    let seconds = rows.iter().filter_map(|row| row.took_s()).sum();
    Some((worst, rows.len(), seconds))
}

/// What it said of itself when it was asked last, whenever that was.
fn facts(seen: Option<&Seen>) -> Markup {
    html! {
        section {
            h2 { "Facts " @if let Some(seen) = seen {
                span.more { @match seen.at {
                    Some(at) => { "as it told them at " (moment(Some(at))) },
                    None => "as it told them last",
                } }
            } }
            @match seen {
                Some(seen) => dl { @for (name, value) in &seen.facts { (fact(&told(name), &short(value))) } },
                None => p.dim { "Nothing was read from it yet; " code { "plinth preflight" } " does it." },
            }
        }
    }
}

/// Its steps in the order of the plan, or of their beginning.
fn chain(page: &OfRun<'_>, row: usize) -> Vec<StepId> {
    let grid = &page.record.grid;
    let mut steps: Vec<StepId> = (0..grid.columns.len()).flat_map(|column| grid.steps(row, column)).cloned().collect();
    let began = |step: &StepId| page.record.view.steps.get(step).and_then(|step| step.started);
    steps.sort_by_key(|step| (page.record.shape.place(step), began(step)));
    steps
}

/// A row of a list of steps.
pub(crate) fn step_row(page: &OfRun<'_>, step: &StepId, row: Option<&Row>, waiting: Option<&Waiting>) -> Markup {
    let view = page.record.view.steps.get(step);
    let state = page.record.view.state_of(step);
    let queued = row.map(Row::queued_s).filter(|seconds| *seconds >= 0.05);
    let took_s = row.and_then(Row::took_s).or_else(|| {
        let view = view.filter(|view| view.state.is_running())?;
        Some(page.record.view.running_for(view))
    });
    html! {
        tr id={"s:" (told(step.as_str()))} {
            td { (badge(state)) }
            td { (step_link(&page.links, step)) }
            td.num { (row.and_then(|row| row.started_s).map(clock).unwrap_or_default()) }
            td.num title=[row.filter(|_| queued.is_some()).and_then(|row| row.held_by.as_ref()).map(held)] { (took(queued)) }
            td.num { (took(took_s)) }
            td.what { @match (waiting, view) {
                (Some(waiting), _) => span.dim { (short(&plinth_report::runs::reason(&page.record.view, waiting))) },
                (None, Some(view)) if view.state.is_running() => (super::overview::doing(view)),
                (None, Some(view)) => (short(&view.detail)),
                (None, None) => "",
            } }
        }
    }
}

/// What held a step, in words.
pub(crate) fn held(held: &HeldBy) -> String {
    match held {
        HeldBy::Need { step } => format!("needed {}", told(step.as_str())),
        HeldBy::Gate { gate, .. } => format!("gate {}", told(&gate.to_string())),
        HeldBy::Lane { lane } => format!("{}, which was busy", told(lane)),
        HeldBy::Slot { slots } => format!("one of {slots} slots"),
        HeldBy::Budget { .. } => "the failure budget".to_owned(),
        HeldBy::Quorum { .. } => "a majority of the control plane".to_owned(),
        HeldBy::Stop => "the run stops".to_owned(),
    }
}
