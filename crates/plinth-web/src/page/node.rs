//! One node: its steps in order, with what each took and waited for, and the ways to its neighbours.

use super::OfRun;
use super::parts::{quoted, short, step_badge, step_link, told, took};
use crate::route::Part;
use maud::{Markup, html};
use plinth_analysis::{Row, Waiting};
use plinth_model::run::HeldBy;
use plinth_model::span::clock;
use plinth_model::{RunView, StepId};
use std::collections::HashMap;

/// The page; none: the run has no such node.
pub(crate) fn page(page: &OfRun<'_>, node: &str) -> Option<Markup> {
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
        @let stands = super::matrix::Told::of(grid, &page.record.view, row);
        p id={"w" (row)} { span { (stands.words) } ", " span { (stands.work) } " of work" }
        table.steps {
            thead { tr { th { "State" } th { "Step" } th.num { "Began" } th.num { "Waited" } th.num { "Took" } th { "What" } } }
            tbody { @for step in chain {
                (step_row(page, &step, waiting.get(&step).copied()))
            } }
        }
        p { a href=(page.links.with(&Part::Steps, "", &[("q", &format!("node:{node}"))])) { "these steps, filtered" }
            " · " "what happened to it in all runs: " code { "plinth history " (quoted(node)) } }
    })
}

/// Its steps in the order of the plan, or of their beginning.
fn chain(page: &OfRun<'_>, row: usize) -> Vec<StepId> {
    let grid = &page.record.grid;
    let mut steps: Vec<StepId> = (0..grid.columns.len()).flat_map(|column| grid.steps(row, column)).cloned().collect();
    let began = |step: &StepId| page.record.view.steps.get(step).and_then(|step| step.started);
    steps.sort_by_key(|step| (page.record.shape.place(step), began(step)));
    steps
}

/// What a row of a list says of a step, behind its name.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) began: String,
    pub(crate) waited: String,
    /// For what it waited.
    pub(crate) held: String,
    /// How long it took, or has taken so far.
    pub(crate) took: String,
    pub(crate) what: String,
}

impl Line {
    pub(crate) fn of(view: &RunView, id: &StepId, waiting: Option<&Waiting>) -> Self {
        let (row, step) = (Row::of(view, id), view.steps.get(id));
        let row = row.as_ref();
        let queued = row.map(Row::queued_s).filter(|seconds| *seconds >= 0.05);
        let so_far = || Some(view.running_for(step.filter(|step| step.state.is_running())?));
        Self {
            began: row.and_then(|row| row.started_s).map(clock).unwrap_or_default(),
            waited: took(queued),
            held: row.filter(|_| queued.is_some()).and_then(|row| row.held_by.as_ref()).map(held).unwrap_or_default(),
            took: took(row.and_then(Row::took_s).or_else(so_far)),
            what: match (waiting, step) {
                (Some(waiting), _) => short(&plinth_report::runs::reason(view, waiting)),
                (None, Some(step)) if step.state.is_running() => super::overview::doing(step),
                (None, Some(step)) => short(&step.detail),
                (None, None) => String::new(),
            },
        }
    }
}

/// A row of a list of steps.
pub(crate) fn step_row(page: &OfRun<'_>, step: &StepId, waiting: Option<&Waiting>) -> Markup {
    let view = &page.record.view;
    let line = Line::of(view, step, waiting);
    html! {
        tr data-s=(told(step.as_str())) id={"s:" (told(step.as_str()))} {
            td { (step_badge(view, step)) }
            td { (step_link(&page.links, step)) }
            td.num { (line.began) }
            td.num title=[Some(&line.held).filter(|held| !held.is_empty())] { (line.waited) }
            td.num { (line.took) }
            td.what { (line.what) }
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
