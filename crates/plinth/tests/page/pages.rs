//! Every page of runs of three sizes, in light and dark, with scripts and without.

use crate::ground::{FAILED_NODES, FAILED_RELEASE, SIZES, browser, last_run, recorded, served, unsound};
use plinth_lab::browser::{Look, Served, Tab};

/// Of the budget, what a tier may refuse: twice as much. Packed bytes of the overview, and its elements, by size.
const OVERVIEW_BYTES: [u64; 3] = [16_000, 30_000, 60_000];
const ELEMENTS: [u64; 3] = [3_000, 14_000, 32_000];
/// Packed bytes of scripts and styles together.
const ASSETS_BYTES: u64 = 36_000;
/// Requests that a page makes.
const REQUESTS: usize = 8;

/// A node and a step that failed, or has to do with it.
fn subjects(nodes: usize) -> (&'static str, String) {
    match nodes {
        200 => (FAILED_NODES[0], format!("nodes/downloads/{}", FAILED_NODES[0])),
        _ => ("dgx-05", FAILED_RELEASE.to_owned()),
    }
}

/// Addresses of all pages, of the run that failed.
fn addresses(nodes: usize, run: &str) -> Vec<String> {
    let (node, step) = subjects(nodes);
    let parts = ["", "/failures", "/nodes", "/steps", "/timeline", "/graph", "/checks", "/plan", "/exports", "/why"];
    let mut all: Vec<String> = parts.iter().map(|part| format!("/r/{run}{part}")).collect();
    all.push(format!("/r/{run}/nodes/{node}"));
    all.push(format!("/r/{run}/steps/{step}"));
    all.push(format!("/r/{run}/steps?q=state:failed"));
    all.push(format!("/r/{run}/steps?q=state:failed+node:nobody"));
    all.push(format!("/r/{run}?at=50"));
    all.push(format!("/diff/last-good/{run}"));
    all.push("/explain/run.finished".to_owned());
    all.push("/".to_owned());
    all
}

/// Opens the link with the token, as a person does first; the tab has the cookie then.
fn admitted<'browser>(tab: Tab<'browser>, served: &Served) -> Tab<'browser> {
    tab.open(served.link()).unwrap();
    assert!(!tab.ask("location.href").unwrap().as_str().unwrap().contains("token"), "the token stays in the address");
    tab
}

fn each_page(nodes: usize) {
    let state = recorded(nodes);
    let (served, browser) = (served(state, 0), browser());
    let run = last_run(state, "partly");
    let tab = admitted(browser.tab(Look::PLAIN).unwrap(), &served);
    let mut wrong = Vec::new();
    for dark in [false, true] {
        tab.look(Look { dark, ..Look::PLAIN }).unwrap();
        for address in addresses(nodes, &run) {
            // A word that explains nothing is no page.
            if address.starts_with("/explain") || address.starts_with("/diff") && nodes != 5 {
                continue;
            }
            tab.open(&format!("{}{address}", served.origin())).unwrap();
            let address = address.replace(&run, "RUN");
            wrong.extend(unsound(&tab, served.origin(), &format!("{nodes} nodes, dark {dark}: {address}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn every_page_of_5_nodes_is_sound() {
    each_page(5);
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn every_page_of_200_nodes_is_sound() {
    each_page(200);
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn every_page_of_1000_nodes_is_sound() {
    each_page(1000);
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn an_overview_stays_within_twice_its_budget() {
    let browser = browser();
    for (place, nodes) in SIZES.into_iter().enumerate() {
        let served = served(recorded(nodes), 0);
        let tab = admitted(browser.tab(Look::PLAIN).unwrap(), &served);
        let run = last_run(recorded(nodes), "partly");
        tab.open(&format!("{}/r/{run}", served.origin())).unwrap();
        let seen = tab.seen().unwrap();
        let of = |kinds: &[&str]| -> u64 {
            let some = seen.requests.iter().filter(|request| kinds.contains(&request.kind.as_str()));
            some.map(|request| request.bytes).sum()
        };
        let bytes = of(&["Document"]);
        assert!(bytes > 0 && bytes <= OVERVIEW_BYTES[place], "{nodes} nodes: {bytes} bytes");
        assert!(seen.requests.len() <= REQUESTS, "{nodes} nodes: {:?}", seen.requests);
        let elements = tab.ask("document.querySelectorAll('*').length").unwrap().as_u64().unwrap();
        assert!(elements <= ELEMENTS[place], "{nodes} nodes: {elements} elements");
        // What was kept from before is not sent again.
        let fresh = browser.tab(Look::PLAIN).unwrap();
        fresh.open(served.link()).unwrap();
        let seen = fresh.seen().unwrap();
        let assets: u64 = seen.requests.iter().filter(|one| one.kind != "Document").map(|one| one.bytes).sum();
        assert!(assets > 0 && assets <= ASSETS_BYTES, "{assets} bytes of scripts and styles");
    }
}

/// Lines of a page that are no white space, without its controls and their help: without scripts there is nothing to control.
fn lines(tab: &Tab<'_>) -> Vec<String> {
    tab.ask("document.querySelectorAll('label, button, .hint, #z-told').forEach(one => one.remove())").unwrap();
    let text = tab.ask("document.body.innerText").unwrap().as_str().unwrap().to_owned();
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn without_scripts_every_fact_is_there() {
    let browser = browser();
    for nodes in [5, 200] {
        let served = served(recorded(nodes), 0);
        let run = last_run(recorded(nodes), "partly");
        let without = admitted(browser.tab(Look { scripts: false, ..Look::PLAIN }).unwrap(), &served);
        let with = admitted(browser.tab(Look::PLAIN).unwrap(), &served);
        let (_, step) = subjects(nodes);
        for address in addresses(nodes, &run) {
            if address.starts_with("/explain") || address.starts_with("/diff") && nodes != 5 {
                continue;
            }
            let url = format!("{}{address}", served.origin());
            without.open(&url).unwrap();
            with.open(&url).unwrap();
            let (plain, scripted) = (lines(&without), lines(&with));
            // What a script adds is a way to use the page: a word or two.
            let facts = scripted.iter().filter(|line| line.split_whitespace().count() > 3);
            let lost: Vec<&String> = facts.filter(|line| !plain.contains(line)).collect();
            assert!(lost.is_empty(), "{address}: only with scripts: {lost:?}");
            if address.ends_with("/failures") {
                assert!(plain.iter().any(|line| line.contains(&step)), "{plain:?}");
            }
        }
    }
}
