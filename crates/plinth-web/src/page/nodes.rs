//! All nodes: the matrix alone, sorted and filtered as the address says.

use super::OfRun;
use super::matrix::{Sort, matrix};
use super::parts::{short, told};
use crate::route::Part;
use maud::{Markup, html};
use plinth_analysis::Filter;
use plinth_model::amount;
use std::collections::BTreeSet;

/// The page. `?q=` chooses nodes: a node fits when one of its steps does.
pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    let grid = &page.record.grid;
    let asked = page.query.get("q").unwrap_or_default().trim();
    let (rows, wrong) = chosen(page, asked);
    let sort = Sort::parse(page.query.get("sort"));
    html! {
        h1 { "Nodes" }
        @if grid.nodes.is_empty() { p.empty { "No step of this run is about a node." } }
        @else {
            (search(page, asked, sort))
            @if let Some(wrong) = &wrong { p.banner.bad { (wrong) " · " a href=(page.links.to(&Part::Nodes)) { "all nodes" } } }
            @if rows.len() < grid.nodes.len() && !rows.is_empty() { p.dim { (rows.len()) " of " (amount(grid.nodes.len(), "node")) " fit " code { (short(asked)) } " · " a href=(page.links.to(&Part::Nodes)) { "all" } } }
            @if !rows.is_empty() { (matrix(page, sort, &rows)) }
        }
    }
}

fn search(page: &OfRun<'_>, asked: &str, sort: Sort) -> Markup {
    html! {
        form.search role="search" {
            label for="q" { "Filter" }
            input id="q" name="q" type="search" value=(short(asked)) placeholder="node:dgx-0* state:failed kind:nodes/downloads took:>30s, or a part of a name" spellcheck="false" autocomplete="off";
            label for="sort" { "sorted by" }
            select id="sort" name="sort" {
                option value="state" selected[sort == Sort::State] { "what failed first" }
                option value="name" selected[sort == Sort::Name] { "name" }
                option value="slowest" selected[sort == Sort::Slowest] { "slowest" }
            }
            @if let Some(at) = page.record.at { input type="hidden" name="at" value=(at); }
            button { "show" }
        }
    }
}

/// Rows of the nodes that have a step that fits; where there is none, why.
fn chosen(page: &OfRun<'_>, asked: &str) -> (Vec<usize>, Option<String>) {
    let grid = &page.record.grid;
    let filter = match Filter::parse(asked) {
        Ok(filter) if filter.is_empty() => return ((0..grid.nodes.len()).collect(), None),
        Ok(filter) => filter,
        Err(error) => return (Vec::new(), Some(told(&error.to_string()))),
    };
    let of_nodes: Vec<_> = page.record.subjects().into_iter().filter(|subject| subject.row.node.is_some()).collect();
    let (steps, emptied) = page.record.choose(&filter, &of_nodes);
    let nodes: BTreeSet<&str> = steps.iter().filter_map(|subject| subject.row.node.as_deref()).collect();
    let named = grid.nodes.iter().enumerate().filter(|(_, name)| nodes.contains(name.as_str()));
    let emptied = emptied.map(|term| format!("No node fits `{}`: none of its steps does", short(&term)));
    (named.map(|(row, _)| row).collect(), emptied)
}
