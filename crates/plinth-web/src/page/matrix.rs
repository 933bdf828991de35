//! Nodes by kinds: a row for each node, a letter in its colour for each kind. What failed is on top.

use super::OfRun;
use super::parts::{badge, class, legend, letter, told, word};
use crate::grid::{Grid, rank};
use crate::route::Part;
use maud::{Markup, html};
use plinth_model::run::StepState;
use plinth_model::{RunView, amount};

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

/// The matrix; of nodes whose name fits, all when nothing is asked.
pub(crate) fn matrix(page: &OfRun<'_>, sort: Sort, rows: &[usize]) -> Markup {
    let grid = &page.record.grid;
    let wide = rows.len() <= WORDS;
    let rows = sorted(page, sort, rows.to_vec());
    html! {
        div.matrix.wide[wide] data-columns=(grid.columns.len()) {
            div.heads aria-hidden="true" {
                span.node { "node" }
                @for kind in grid.heads() { span.head { span { (verb_of(&kind.name)) } } }
            }
            ul.rows { @for row in rows { (node_row(page, row, wide)) } }
        }
        (legend())
    }
}

fn sorted(page: &OfRun<'_>, sort: Sort, mut rows: Vec<usize>) -> Vec<usize> {
    let (grid, view) = (&page.record.grid, &page.record.view);
    match sort {
        Sort::Name => rows.sort_unstable(),
        Sort::State => rows.sort_by_key(|row| (rank(grid.standing(*row, view).0), *row)),
        Sort::Slowest => {
            rows.sort_by(|a, b| seconds(grid, view, *b).total_cmp(&seconds(grid, view, *a)).then(a.cmp(b)));
        }
    }
    rows
}

/// Seconds of all steps of a node.
pub(crate) fn seconds(grid: &Grid, view: &RunView, row: usize) -> f64 {
    let steps = (0..grid.columns.len()).flat_map(|column| grid.steps(row, column));
    steps.filter_map(|step| view.steps.get(step)?.seconds).sum()
}

fn node_row(page: &OfRun<'_>, row: usize, wide: bool) -> Markup {
    let (grid, view) = (&page.record.grid, &page.record.view);
    let name = grid.nodes.get(row).map(String::as_str).unwrap_or_default();
    let states = grid.states(row, view);
    html! {
        li id={"n" (row)} {
            a href=(page.links.to(&Part::Node(name.to_owned()))) { (told(name)) }
            @for state in states { (cell(state, wide)) }
            u { (standing(grid, view, row)) }
        }
    }
}

fn cell(state: Option<StepState>, wide: bool) -> Markup {
    html! {
        @match (state, wide) {
            (None, _) => i {},
            (Some(state), false) => i class=(class(state)) { (letter(state)) },
            (Some(state), true) => i class=(class(state)) { (word(state)) },
        }
    }
}

/// How a node stands, in words: `failed: storage`.
pub(crate) fn standing(grid: &Grid, view: &RunView, row: usize) -> String {
    let (state, kind) = grid.standing(row, view);
    let at = kind.map(|kind| verb_of(&kind.name)).unwrap_or_default();
    match state {
        StepState::Changed | StepState::Unchanged | StepState::Skipped => "done".to_owned(),
        StepState::Pending => "waits".to_owned(),
        state => format!("{}: {at}", word(state)),
    }
}

/// The letters of a row, for a patch.
pub(crate) fn letters(grid: &Grid, view: &RunView, row: usize) -> String {
    grid.states(row, view).into_iter().map(|state| state.map_or(" ", class)).collect()
}

/// `account` of `nodes/account`.
fn verb_of(kind: &str) -> &str {
    kind.rsplit('/').next().unwrap_or(kind)
}

/// Nodes by state, as a strip of labels.
pub(crate) fn summary(page: &OfRun<'_>) -> Markup {
    let (grid, view) = (&page.record.grid, &page.record.view);
    let mut counts: std::collections::BTreeMap<u8, (StepState, usize)> = std::collections::BTreeMap::new();
    for row in 0..grid.nodes.len() {
        let (state, _) = grid.standing(row, view);
        counts.entry(rank(state)).or_insert((state, 0)).1 += 1;
    }
    html! {
        p.strip {
            (amount(grid.nodes.len(), "node")) ": "
            @for (state, count) in counts.values() { span.cnt { (count) " " (badge(*state)) } " " }
        }
    }
}
