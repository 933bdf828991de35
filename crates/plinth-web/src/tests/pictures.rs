//! Every page that an address can ask for has its pictures in docs/views.md.

use crate::route::{Page, Part, Route};
use std::path::Path;

/// Name of a page's pictures. Whoever adds a page is asked for it here. None of a log: pictures are of rehearsals, which start no programs.
fn pictures(page: &Page) -> Option<&'static str> {
    Some(match page {
        Page::Runs => "runs",
        Page::Diff(..) => "diff",
        Page::Explain(_) => "explain",
        Page::Run(_, part) => match part {
            Part::Overview => "overview",
            Part::Failures => "failures",
            Part::Nodes => "nodes",
            Part::Node(_) => "node",
            Part::Steps => "steps",
            Part::Step(_) => "step",
            Part::Timeline => "timeline",
            Part::Graph => "graph",
            Part::Checks => "checks",
            Part::Plan => "plan",
            Part::Exports => "exports",
            Part::Why => "why",
            Part::Logs => "logs",
            Part::Log(_) => return None,
        },
    })
}

#[test]
fn every_page_has_its_pictures() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let text = std::fs::read_to_string(docs.join("views.md")).unwrap();
    let of_run = [
        "",
        "/failures",
        "/nodes",
        "/nodes/dgx-05",
        "/steps",
        "/steps/nodes/account/dgx-05",
        "/timeline",
        "/graph",
        "/checks",
        "/plan",
        "/exports",
        "/why",
        "/logs",
        "/logs/one.log",
    ];
    let of_run = of_run.map(|end| format!("/r/run-1{end}"));
    let others = ["/", "/diff/a/b", "/explain/node.unreachable"].map(str::to_owned);
    for address in of_run.into_iter().chain(others) {
        let Some(Route::Page(page, _)) = Route::parse(&address) else { panic!("{address} is no page") };
        let Some(name) = pictures(&page) else { continue };
        for nodes in [5, 200, 1000] {
            for scheme in ["light", "dark"] {
                let file = format!("views/{name}-{nodes}-{scheme}.webp");
                assert!(text.contains(&format!("]({file})")), "{address}: docs/views.md does not show {file}");
                assert!(docs.join(&file).is_file(), "{address}: there is no docs/{file}");
            }
        }
    }
}
