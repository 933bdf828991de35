//! All nodes: the matrix alone, sorted and filtered as the address says.

use super::OfRun;
use super::matrix::{Sort, matrix};
use super::parts::short;
use crate::route::Part;
use maud::{Markup, html};
use plinth_analysis::Filter;
use plinth_model::amount;

/// The page. `?q=` chooses nodes by parts of their name, `*` stands for anything.
pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    let grid = &page.record.grid;
    let asked = page.query.get("q").unwrap_or_default().trim();
    // Parts of names and nothing else: whatever is asked, it is a filter.
    let filter = Filter::parse(&Part::Nodes.filter(page.query)).unwrap_or_default();
    let rows: Vec<usize> =
        grid.nodes.iter().enumerate().filter(|(_, name)| filter.fits_node(name)).map(|(row, _)| row).collect();
    let sort = Sort::parse(page.query.get("sort"));
    html! {
        h1 { "Nodes" }
        @if grid.nodes.is_empty() { p.empty { "No step of this run is about a node." } }
        @else {
            form.search role="search" {
                label for="q" { "Name" }
                input id="q" name="q" type="search" value=(short(asked)) placeholder="dgx-0*" spellcheck="false" autocomplete="off";
                label for="sort" { "sorted by" }
                select id="sort" name="sort" {
                    option value="state" selected[sort == Sort::State] { "what failed first" }
                    option value="name" selected[sort == Sort::Name] { "name" }
                    option value="slowest" selected[sort == Sort::Slowest] { "slowest" }
                }
                @if let Some(at) = page.record.at { input type="hidden" name="at" value=(at); }
                button { "show" }
            }
            @if rows.len() < grid.nodes.len() { p.dim { (rows.len()) " of " (amount(grid.nodes.len(), "node")) " fit " code { (short(asked)) } " · " a href=(page.links.to(&Part::Nodes)) { "all" } } }
            @if rows.is_empty() { p.empty { "No node fits " code { (short(asked)) } "." } } @else { (matrix(page, sort, &rows)) }
        }
    }
}
