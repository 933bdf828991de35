//! Nodes by kinds: a row for each node, a letter in its colour for each kind. What failed is on top.

use super::OfRun;
use super::parts::{badge, class, legend, letter, told};
use crate::grid::{Grid, Kind, rank};
use crate::route::Part;
use maud::{Markup, html};
use plinth_model::run::StepState;
use plinth_model::span::span;
use plinth_model::{RunView, amount};
use std::collections::BTreeMap;

/// As many nodes have words in their cells; more have letters.
pub(crate) const WORDS: usize = 12;

/// How rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// What needs somebody first.
    State,
    Name,
    /// Who took longest first.
    Slowest,
}

impl Sort {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text {
            Some("name") => Self::Name,
            Some("slowest") => Self::Slowest,
            _ => Self::State,
        }
    }
}

/// A node as its row shows it.
struct Line<'a> {
    row: usize,
    states: Vec<Option<StepState>>,
    state: StepState,
    /// The kind of step because of which it stands so.
    at: Option<&'a Kind>,
}

impl<'a> Line<'a> {
    fn of(grid: &'a Grid, view: &RunView, row: usize) -> Self {
        let states = grid.states(row, view);
        let (state, at) = grid.worst_of(&states);
        Self { row, states, state, at }
    }

    /// How the node stands, in words: `failed: storage`.
    fn words(&self) -> String {
        match self.state {
            StepState::Changed | StepState::Unchanged | StepState::Skipped => "done".to_owned(),
            StepState::Pending => "waits".to_owned(),
            state => format!("{}: {}", state.told(), self.at.map_or("", |kind| verb_of(&kind.name))),
        }
    }
}

/// How many nodes stand how, and the matrix of them.
pub(crate) fn matrix(page: &OfRun<'_>, sort: Sort, rows: &[usize]) -> Markup {
    let (grid, view) = (&page.record.grid, &page.record.view);
    let wide = rows.len() <= WORDS;
    let mut lines: Vec<Line<'_>> = rows.iter().map(|row| Line::of(grid, view, *row)).collect();
    match sort {
        Sort::Name => {}
        Sort::State => lines.sort_by_key(|line| (rank(line.state), line.row)),
        Sort::Slowest => lines.sort_by_cached_key(|line| {
            // Seconds are not negative, so their bits are in order.
            (std::cmp::Reverse(seconds(grid, view, line.row).to_bits()), line.row)
        }),
    }
    html! {
        (summary(&lines))
        div.matrix.wide[wide] tabindex="0" role="region" aria-label="nodes by kinds of steps" {
            div.heads aria-hidden="true" {
                span.node { "node" }
                @for kind in grid.heads() { span.head { span { (verb_of(&kind.name)) } } }
            }
            ul.rows { @for line in &lines { (node_row(page, line, wide)) } }
        }
        (legend())
    }
}

/// Nodes by state.
fn summary(lines: &[Line<'_>]) -> Markup {
    let mut counts: BTreeMap<u8, (StepState, usize)> = BTreeMap::new();
    for line in lines {
        counts.entry(rank(line.state)).or_insert((line.state, 0)).1 += 1;
    }
    html! {
        p.strip {
            (amount(lines.len(), "node")) ": "
            span id="strip" { @for (state, count) in counts.values() { span.cnt { (count) " " (badge(*state)) } " " } }
        }
    }
}

/// Seconds of all steps of a node.
fn seconds(grid: &Grid, view: &RunView, row: usize) -> f64 {
    let steps = (0..grid.columns.len()).flat_map(|column| grid.steps(row, column));
    steps.filter_map(|step| view.steps.get(step)?.seconds).fold(0.0, |sum, seconds| sum + seconds.max(0.0))
}

fn node_row(page: &OfRun<'_>, line: &Line<'_>, wide: bool) -> Markup {
    let name = page.record.grid.nodes.get(line.row).map(String::as_str).unwrap_or_default();
    html! {
        li id={"n" (line.row)} data-st=(class(line.state)) {
            a href=(page.links.to(&Part::Node(name.to_owned()))) { (told(name)) }
            @for state in &line.states { (cell(*state, wide)) }
            u { (line.words()) }
        }
    }
}

fn cell(state: Option<StepState>, wide: bool) -> Markup {
    html! {
        @match (state, wide) {
            (None, _) => i {},
            (Some(state), false) => i class=(class(state)) { (letter(state)) },
            (Some(state), true) => i class=(class(state)) { (state.told()) },
        }
    }
}

/// A node as a patch tells it.
#[derive(Debug)]
pub(crate) struct Told {
    /// The classes of its cells, one letter each; a blank where the plan has nothing.
    pub(crate) letters: String,
    /// How it stands: `failed: storage`.
    pub(crate) words: String,
    /// The class of that.
    pub(crate) class: &'static str,
    /// How long its steps took.
    pub(crate) work: String,
}

impl Told {
    pub(crate) fn of(grid: &Grid, view: &RunView, row: usize) -> Self {
        let line = Line::of(grid, view, row);
        Self {
            letters: line.states.iter().map(|state| state.map_or(" ", class)).collect(),
            words: line.words(),
            class: class(line.state),
            work: span(seconds(grid, view, row)),
        }
    }
}

/// `account` of `nodes/account`.
fn verb_of(kind: &str) -> &str {
    kind.rsplit('/').next().unwrap_or(kind)
}
