//! All nodes: the matrix alone, sorted and filtered as the address says.

use super::OfRun;
use super::matrix::{Sort, matrix};
use super::parts::{bounded, short};
use crate::route::Part;
use maud::{Markup, html};

/// The page. `?q=` chooses nodes by a part of their name, `*` stands for anything.
pub(crate) fn page(page: &OfRun<'_>) -> Markup {
    let grid = &page.record.grid;
    let asked = page.query.get("q").unwrap_or_default().trim();
    let rows: Vec<usize> = (0..grid.nodes.len()).filter(|row| fits(asked, grid.nodes.get(*row))).collect();
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
                button { "show" }
            }
            @if let Some(told) = bounded(rows.len(), grid.nodes.len(), "node") { p.dim { (told) ", those that fit " code { (short(asked)) } " · " a href=(page.links.to(&Part::Nodes)) { "all" } } }
            @if rows.is_empty() { p.empty { "No node fits " code { (short(asked)) } "." } } @else { (matrix(page, sort, &rows)) }
        }
    }
}

fn fits(asked: &str, name: Option<&String>) -> bool {
    let Some(name) = name else { return false };
    let mut rest = name.as_str();
    // Parts between the stars, in their order.
    asked.split('*').filter(|part| !part.is_empty()).all(|part| match rest.find(part) {
        Some(at) => {
            rest = rest.get(at + part.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn nodes_are_chosen_by_parts_of_their_name() {
        let name = "dgx-012".to_owned();
        for asked in ["", "dgx", "dgx-*2", "*12", "0*2"] {
            assert!(fits(asked, Some(&name)), "{asked}");
        }
        for asked in ["cpu", "2*dgx", "12*12"] {
            assert!(!fits(asked, Some(&name)), "{asked}");
        }
    }
}
