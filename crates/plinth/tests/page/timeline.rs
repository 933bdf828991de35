//! The timeline where scripts run: every bar is there, and what is looked at is in the address; keys lead where the mouse does.

use crate::ground::{browser, last_run, plinth, recorded, served, told};
use plinth_lab::browser::{Browser, Look, Served, Tab};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
/// High enough for every row of a small run.
const TALL: Look = Look { height: 3000, ..Look::PLAIN };

/// For each row: its name, and how many pixels at its bars, and at the line below them, are of another colour than the grid.
const DRAWN: &str = r"(() => {
  const canvas = document.getElementById('canvas')
  const wide = canvas.width
  const all = canvas.getContext('2d').getImageData(0, 0, wide, canvas.height).data
  const css = getComputedStyle(document.documentElement)
  const rgb = (name) => [1, 3, 5].map((at) => parseInt(css.getPropertyValue('--' + name).trim().slice(at, at + 2), 16))
  const near = (at, color, by) => color.every((part, place) => Math.abs(all[at + place] - part) < by)
  const [line, ghost] = [rgb('line'), rgb('x')]
  const count = (y, fits) => {
    let found = 0
    for (let x = 0; x < wide; x++) { const at = (y * wide + x) * 4; if (all[at + 3] > 20 && fits(at)) found++ }
    return found
  }
  return [...document.querySelectorAll('#names > li')].map((row, at) => {
    const y = 22 + at * 18
    return [row.textContent, count(y + 8, (at) => !near(at, line, 30)), count(y + 16, (at) => near(at, ghost, 30))]
  })
})()";

/// A tab with the timeline of a run, drawn.
fn timeline<'b>(browser: &'b Browser, served: &Served, run: &str, query: &str) -> Tab<'b> {
    let tab = browser.tab(TALL).unwrap();
    tab.open(served.link()).unwrap();
    tab.open(&format!("{}/r/{run}/timeline{query}", served.origin())).unwrap();
    drawn(&tab);
    tab
}

/// Waits until it is drawn: frames come only to who is looked at.
fn drawn(tab: &Tab<'_>) {
    tab.front().unwrap();
    tab.wait("performance.getEntriesByName('plinth-timeline').length > 0", SOON).unwrap();
}

fn rows(tab: &Tab<'_>) -> Vec<(String, u64, u64)> {
    let told = tab.ask(DRAWN).unwrap();
    let told = told.as_array().unwrap();
    told.iter()
        .map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap(), row[2].as_u64().unwrap()))
        .collect()
}

fn text(tab: &Tab<'_>, asked: &str) -> String {
    tab.ask(asked).unwrap().as_str().unwrap().to_owned()
}

/// A run of twenty nodes in which a release fails, served where a good rehearsal of the same is kept. Only one of the site's own nodes is kept
/// by itself; this one is of nodes that were made up, so that there are enough of them.
fn rehearsed(scratch: &Path) -> (Served, String) {
    let folder = |name: &str| scratch.join(name).to_str().unwrap().to_owned();
    let (good, bad) = (folder("good"), folder("state"));
    let base = ["rehearse", "--nodes", "20", "--progress", "none", "--state"];
    told(0, &[&base[..], &[&good]].concat());
    told(4, &[&base[..], &[&bad, "--fault", "release:gpu-operator:fails"]].concat());
    let shown: Value = serde_json::from_str(&told(0, &["runs", "show", "last", "--json", "--state", &good])).unwrap();
    let began = shown["steps"].as_array().unwrap().iter().filter(|step| step["startedS"].is_number());
    let steps: Map<String, Value> = began
        .map(|step| {
            let (from, to) = (step["startedS"].as_f64().unwrap(), step["endedS"].as_f64().unwrap());
            let kept = json!({"fromS": from, "toS": to, "tookS": to - from, "state": step["state"]});
            (step["step"].as_str().unwrap().to_owned(), kept)
        })
        .collect();
    let run = &shown["run"];
    let kept = json!({"schema": 1, "run": run["run"], "plan": run["plan"], "nodes": 20, "seconds": run["seconds"], "steps": steps});
    let home = scratch.join(".local/state/plinth");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("basepod-a.rehearsed.json"), kept.to_string()).unwrap();
    let mut command = plinth(&["serve", "--listen", "127.0.0.1:0", "--state", &bad]);
    let served = Served::start(command.env("HOME", scratch), &scratch.join("serve.log")).unwrap();
    (served, last_run(Path::new(&bad), "partly"))
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_small_run_has_every_bar_and_its_stages() {
    let (served, browser) = (served(recorded(5), 0), browser());
    let run = last_run(recorded(5), "partly");
    let tab = timeline(&browser, &served, &run, "");
    let rows = rows(&tab);
    let columns = format!("fetch('/r/{run}/columns.json').then(r => r.json()).then(d => d.target.length)");
    let begun = tab.ask(&columns).unwrap().as_u64().unwrap();
    let stages = tab.ask("document.querySelectorAll('#drawn rect.u[height=\"8\"]').length").unwrap().as_u64().unwrap();
    let bars = rows.iter().filter(|row| row.0.matches('/').count() == 2).count();
    assert!(bars as u64 == begun && begun > 60, "{bars} rows for {begun} steps");
    assert_eq!(rows.len() as u64, 1 + stages + begun, "the critical path, {stages} stages, the steps");
    let empty: Vec<&String> = rows.iter().filter(|row| row.1 == 0).map(|row| &row.0).collect();
    assert!(empty.is_empty(), "nothing is drawn for {empty:?}");
    assert_eq!(rows[0].0, "critical path");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn the_rehearsal_lies_below_kinds_and_the_path_with_scripts_and_without() {
    let scratch = tempfile::tempdir().unwrap();
    let ((served, run), browser) = (rehearsed(scratch.path()), browser());
    let tab = timeline(&browser, &served, &run, "");
    let rows = rows(&tab);
    let kinds: Vec<_> = rows.iter().filter(|row| row.0.matches('/').count() == 1).collect();
    assert!(kinds.len() > 20, "{rows:?}");
    let without: Vec<_> = kinds.iter().filter(|row| row.2 == 0).collect();
    assert!(without.is_empty(), "no line below {without:?}");
    assert!(rows[0].2 > 50, "below the path: {:?}", rows[0]);
    let lines = tab.ask("document.querySelectorAll('#drawn a > rect.x').length").unwrap().as_u64().unwrap();
    assert!(lines >= kinds.len() as u64, "{lines} lines of {} kinds in the drawing of the server", kinds.len());
    let path = tab.ask("document.querySelectorAll('#drawn rect.x[y=\"47\"]').length").unwrap().as_u64().unwrap();
    assert!(path > 5, "{path} lines below the path");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn keys_open_kinds_and_lead_to_steps_at_the_same_moment() {
    let scratch = tempfile::tempdir().unwrap();
    let ((served, run), browser) = (rehearsed(scratch.path()), browser());
    let tab = timeline(&browser, &served, &run, "?at=900");
    tab.ask("document.querySelector('main').setAttribute('tabindex', '-1'), document.querySelector('#z-idle').focus()")
        .unwrap();
    // The first is the path, whose steps are links in the table below; the next is a kind.
    tab.press("Tab").unwrap();
    assert_eq!(text(&tab, "document.activeElement.getAttribute('href')"), "#path");
    tab.press("Tab").unwrap();
    assert_eq!(text(&tab, "document.activeElement.getAttribute('aria-expanded')"), "false");
    let kind = text(&tab, "document.activeElement.textContent");
    tab.press("Enter").unwrap();
    tab.wait("document.activeElement.getAttribute('aria-expanded') === 'true'", SOON).unwrap();
    let steps = tab.ask("document.querySelectorAll('#names li.in a').length").unwrap().as_u64().unwrap();
    assert!(steps >= 1, "{kind}");
    tab.press("Tab").unwrap();
    tab.wait("document.getElementById('z-told').textContent.includes(': began ')", SOON).unwrap();
    tab.press("Enter").unwrap();
    tab.wait("location.pathname.includes('/steps/') && document.readyState === 'complete'", SOON).unwrap();
    let place = text(&tab, "location.pathname + location.search");
    assert!(place.starts_with(&format!("/r/{run}/steps/{kind}/")) && place.ends_with("?at=900"), "{place}");
    tab.ask("history.back()").unwrap();
    let again = "document.querySelector('#names [aria-expanded=true]') !== null";
    tab.wait(again, SOON).unwrap();
    assert!(text(&tab, "location.search").contains("open="), "what was opened is in the address");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn what_is_looked_at_is_in_the_address() {
    let (served, browser) = (served(recorded(5), 0), browser());
    let run = last_run(recorded(5), "partly");
    let tab = timeline(&browser, &served, &run, "");
    assert_eq!(text(&tab, "document.getElementById('z-window').textContent"), "");
    for button in ["z-idle", "z-in", "z-in", "z-back"] {
        tab.ask(&format!("document.getElementById('{button}').click()")).unwrap();
    }
    tab.wait("['from=', 'to=', 'idle=out'].every((one) => location.search.includes(one))", SOON).unwrap();
    let shown = || text(&tab, "document.getElementById('z-window').textContent");
    tab.wait("document.getElementById('z-window').textContent.includes(' to ')", SOON).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    let (before, address) = (shown(), text(&tab, "location.href"));
    // A link that was passed on, and Back.
    let other = tab.beside(TALL).unwrap();
    other.open(&address).unwrap();
    drawn(&other);
    assert_eq!(text(&other, "document.getElementById('z-window').textContent"), before);
    assert_eq!(other.ask("document.getElementById('z-idle').checked").unwrap(), true);
    tab.open(&format!("{}/r/{run}", served.origin())).unwrap();
    tab.front().unwrap();
    tab.ask("history.back()").unwrap();
    tab.wait("document.getElementById('z-window')?.textContent.includes(' to ')", SOON).unwrap();
    assert_eq!((shown(), text(&tab, "location.href")), (before, address));
    tab.ask("document.getElementById('z-all').click()").unwrap();
    tab.wait("!location.search.includes('from=') && !location.search.includes('to=')", SOON).unwrap();
}
