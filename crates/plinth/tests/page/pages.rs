//! Every page of runs of three sizes, in light and dark, with scripts and without.

use crate::ground::{FAILED_NODES, FAILED_RELEASE, SIZES, browser, last_run, recorded, served, unsound};
use plinth_lab::browser::{Look, Request, Seen, Served, Tab};
use std::time::Duration;

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
    all.push(format!("/r/{run}/nodes?q=state:failed"));
    all.push(format!("/r/{run}/logs"));
    all.push(format!("/r/{run}?at=50"));
    all.push(format!("/diff/last-good/{run}"));
    all.push("/explain/node.host-key-changed".to_owned());
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

/// Bytes of the page itself, and of all else that it asked for.
fn bytes_of(seen: &Seen) -> (u64, u64) {
    let (page, others): (Vec<&Request>, Vec<&Request>) = seen.requests.iter().partition(|one| one.kind == "Document");
    let sum = |requests: &[&Request]| requests.iter().map(|request| request.bytes).sum();
    (sum(&page), sum(&others))
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn an_overview_stays_within_twice_its_budget() {
    let browser = browser();
    for (place, nodes) in SIZES.into_iter().enumerate() {
        let served = served(recorded(nodes), 0);
        let tab = admitted(browser.tab(Look::PLAIN).unwrap(), &served);
        let (_, assets) = bytes_of(&tab.seen().unwrap());
        assert!(assets > 0 && assets <= ASSETS_BYTES, "{assets} bytes of scripts and styles");
        let run = last_run(recorded(nodes), "partly");
        tab.open(&format!("{}/r/{run}", served.origin())).unwrap();
        let seen = tab.seen().unwrap();
        let (bytes, again) = bytes_of(&seen);
        assert_eq!(again, 0, "what was kept from before is not sent again: {:?}", seen.requests);
        assert!(bytes > 0 && bytes <= OVERVIEW_BYTES[place], "{nodes} nodes: {bytes} bytes");
        assert!(seen.requests.len() <= REQUESTS, "{nodes} nodes: {:?}", seen.requests);
        let elements = tab.ask("document.querySelectorAll('*').length").unwrap().as_u64().unwrap();
        assert!(elements <= ELEMENTS[place], "{nodes} nodes: {elements} elements");
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

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_link_to_a_card_opens_it_without_scripts() {
    let (browser, served) = (browser(), served(recorded(5), 0));
    let run = last_run(recorded(5), "partly");
    let tab = admitted(browser.tab(Look { scripts: false, ..Look::PLAIN }).unwrap(), &served);
    let plan = format!("{}/r/{run}/plan", served.origin());
    tab.open(&plan).unwrap();
    let is_open = |id: &str| tab.ask(&format!("document.getElementById('{id}').closest('details').open")).unwrap();
    let id = tab.ask("document.querySelector('details.kind a.link').hash.slice(1)").unwrap();
    let id = id.as_str().unwrap().to_owned();
    assert_eq!(is_open(&id), serde_json::json!(false), "{id}");
    tab.open(&format!("{}/r/{run}", served.origin())).unwrap();
    tab.open(&format!("{plan}#{id}")).unwrap();
    assert_eq!(is_open(&id), serde_json::json!(true), "{id}");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn keys_lead_where_they_say_and_copy_what_they_say() {
    let browser = browser();
    let served = served(recorded(5), 0);
    let run = last_run(recorded(5), "partly");
    let tab = admitted(browser.tab(Look::PLAIN).unwrap(), &served);
    tab.open(&format!("{}/r/{run}", served.origin())).unwrap();
    tab.front().unwrap();
    for (key, page) in [("f", "/failures"), ("n", "/nodes"), ("s", "/steps"), ("t", "/timeline"), ("g", "/graph")] {
        tab.press("g").unwrap();
        tab.press(key).unwrap();
        let there = format!("location.pathname.endsWith('{page}') && document.readyState === 'complete'");
        tab.wait(&there, Duration::from_secs(90)).unwrap();
    }
    // Who says no is not told that it was copied.
    tab.ask("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))").unwrap();
    tab.press("x").unwrap();
    let told = |what: &str| format!("document.getElementById('t-link').textContent.startsWith('{what}: plinth runs')");
    tab.wait(&told("could not be copied"), Duration::from_secs(90)).unwrap();
    tab.ask("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve() }").unwrap();
    tab.press("x").unwrap();
    tab.wait(&told("copied"), Duration::from_secs(90)).unwrap();
    assert!(tab.ask("window.copied").unwrap().as_str().unwrap().starts_with("plinth runs critical-path"));
}
