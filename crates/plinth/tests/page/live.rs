//! A run that goes on while it is looked at, and everything that may break on the way.

use crate::ground::{browser, plinth, served, site_state};
use plinth_lab::browser::{Look, Served, Tab};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Within this time a run that passes watchably is over.
const OVER: Duration = Duration::from_secs(90);

/// A run that takes some ten seconds; killed when dropped.
struct Runner(Child);

impl Runner {
    fn start(state: &Path, more: &[&str]) -> Self {
        let base =
            ["rehearse", "--pace", "watch", "--progress", "none", "--nodes", "20", "--state", state.to_str().unwrap()];
        let mut command = plinth(&[&base[..], more].concat());
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// `STOP`, `CONT`.
    fn signal(&self, name: &str) {
        // One that has ended takes none.
        let _ =
            Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).stderr(Stdio::null()).status();
    }

    /// Waits for its end.
    fn ends(&mut self) {
        let until = Instant::now() + OVER;
        while self.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "the run does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The newest run, as the server tells it; none before it has begun.
fn run_of(tab: &Tab<'_>, origin: &str) -> Option<String> {
    let asked = format!("fetch('{origin}/runs.json').then(r => r.text())");
    let text = tab.ask(&asked).ok()?;
    let told: Value = serde_json::from_str(text.as_str()?).ok()?;
    told["runs"].as_array()?.last()?["run"].as_str().map(str::to_owned)
}

/// A tab in the middle of a run.
fn in_the_middle<'b>(browser: &'b plinth_lab::browser::Browser, served: &Served, part: &str) -> (Tab<'b>, String) {
    let tab = browser.tab(Look::PLAIN).unwrap();
    tab.open(served.link()).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(run) = run_of(&tab, served.origin()) {
            tab.open(&format!("{}/r/{run}{part}", served.origin())).unwrap();
            // The page may just be reading itself again.
            let done = tab.ask("parseInt(document.getElementById('t-done').textContent)").ok();
            if done.and_then(|done| done.as_u64()).is_some_and(|done| done >= 10) {
                return (tab, run);
            }
        }
        assert!(Instant::now() < until, "no run is seen");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What is to be read on a page but for what depends on the reader: sorted lines, since what failed or runs longest may stand elsewhere.
/// None: it is just being read again.
fn facts(tab: &Tab<'_>) -> Option<Vec<String>> {
    let text = tab.ask("document.querySelector('main')?.innerText").ok()?.as_str()?.to_owned();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = text.lines().map(words).filter(|line| !line.is_empty()).collect();
    lines.sort();
    Some(lines)
}

fn ended(tab: &Tab<'_>, word: &str) {
    tab.front().unwrap();
    let state = format!("document.getElementById('t-state').textContent.includes('{word}')");
    tab.wait(&state, Duration::from_secs(60)).unwrap();
}

/// The page that was open all the time says in the end what somebody reads who comes late.
fn same_as_a_late_reader(tab: &Tab<'_>, address: &str) {
    let late = tab.beside(Look::PLAIN).unwrap();
    late.open(address).unwrap();
    let wanted = facts(&late);
    assert!(wanted.as_ref().is_some_and(|lines| lines.len() > 5), "{wanted:?}");
    tab.front().unwrap();
    let until = Instant::now() + OVER;
    while facts(tab) != wanted {
        if Instant::now() > until {
            assert_eq!(facts(tab), wanted, "{address}");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn who_comes_in_the_middle_ends_with_what_a_late_reader_sees() {
    let (scratch, state) = site_state();
    let (served, browser) = (served(&state, 0), browser());
    let mut runner = Runner::start(&state, &["--fault", "release:gpu-operator:fails"]);
    let (tab, run) = in_the_middle(&browser, &served, "");
    let others: Vec<(Tab<'_>, String)> = ["/nodes", "/failures", "/steps"]
        .into_iter()
        .map(|part| {
            let (tab, address) = (tab.beside(Look::PLAIN).unwrap(), format!("{}/r/{run}{part}", served.origin()));
            tab.open(&address).unwrap();
            (tab, address)
        })
        .collect();
    runner.ends();
    ended(&tab, "partly");
    same_as_a_late_reader(&tab, &format!("{}/r/{run}", served.origin()));
    for (tab, address) in &others {
        ended(tab, "partly");
        same_as_a_late_reader(tab, address);
    }
    assert_eq!(tab.seen().unwrap().troubles(served.origin()), Vec::<String>::new());
    drop(scratch);
}

/// What of a page is alive, by its element. What moves inside a step is no event, so what is said of that is left out; why a step has not
/// begun is told when the page is read.
const CELLS: &str = r"(() => {
  const told = {}
  const words = (one) => one ? one.textContent.replace(/\s+/g, ' ').trim() : ''
  const state = (one) => one ? one.className + ' ' + words(one) : ''
  const moves = /^(nodes\/storage|kubernetes|platform|runai|checks)\//
  for (const one of document.querySelectorAll('[id^=t-], [id^=s-]')) told[one.id] = (one.hidden ? 'hidden ' : '') + words(one)
  for (const name of ['t-left', 't-link']) delete told[name]
  told['t-state'] = state(document.getElementById('t-state'))
  for (const row of document.querySelectorAll('.kinds tr[id^=k]')) {
    const bar = [...row.querySelectorAll('rect')].map((one) => one.getAttribute('class') + Number(one.getAttribute('width')).toFixed(1))
    told[row.id] = [bar.join(' '), row.querySelector('svg').getAttribute('aria-label'), ...[2, 3, 4].map((at) => words(row.cells[at]))]
  }
  for (const row of document.querySelectorAll('.rows li')) {
    told[row.id] = [...row.querySelectorAll('i')].map((one) => one.className + words(one)).concat(words(row.querySelector('u')), row.dataset.st)
  }
  for (const one of document.querySelectorAll('#strip, p[id^=w]')) told[one.id] = words(one)
  for (const one of document.querySelectorAll('[data-s]')) {
    const badge = one.querySelector('.st')
    const [, , began, waited, took, what] = one.cells || []
    const says = badge.classList.contains('p') || (moves.test(one.dataset.s) && /\b[al]\b/.test(badge.className)) ? '' : words(what)
    told['s:' + one.dataset.s] = [state(badge), words(began), words(waited), waited?.title || '', words(took), says]
  }
  const own = document.querySelector('.title[data-s]')
  if (own && moves.test(own.dataset.s)) delete told['s-what']
  const running = document.getElementById('running')
  if (running) told.running = [...running.children].map((row) => [state(row.querySelector('.st')), words(row.querySelector('a')),
    words(row.querySelector('b')), moves.test(words(row.querySelector('a'))) ? '' : words(row.querySelector('.dim'))])
  return { seq: Number(document.body.dataset.seq), state: document.body.dataset.state, told }
})()";

/// The cells of the page that is open; none: it is just being read again.
fn cells(tab: &Tab<'_>) -> Option<(u64, String, Map<String, Value>)> {
    let mut found = tab.ask(CELLS).ok()?;
    let seq = found["seq"].as_u64()?;
    let state = found["state"].as_str()?.to_owned();
    let Value::Object(told) = found["told"].take() else { return None };
    (!told.is_empty()).then_some((seq, state, told))
}

/// Holds a page that follows; at which event it stands then, and what it says. None: the run is over.
fn held(tab: &Tab<'_>) -> Option<(u64, Map<String, Value>)> {
    tab.front().unwrap();
    let until = Instant::now() + OVER;
    loop {
        assert!(Instant::now() < until, "the page cannot be held");
        std::thread::sleep(Duration::from_millis(60));
        match cells(tab) {
            Some((_, state, _)) if state != "running" => return None,
            Some(_) => {}
            None => continue,
        }
        if tab.ask("document.getElementById('hold').click()").is_err() {
            continue;
        }
        // What waited for a frame is drawn yet.
        std::thread::sleep(Duration::from_millis(150));
        let told = cells(tab);
        let button = tab.ask("document.getElementById('hold').textContent").ok()?.as_str()?.to_owned();
        match told {
            Some((seq, state, told)) if button.starts_with("held at ") && state == "running" => {
                return Some((seq, told));
            }
            // It was read again just then.
            _ => {}
        }
    }
}

/// The page is what somebody reads who asks how it was at that event.
fn is_as_then(told: &Map<String, Value>, then: &Tab<'_>, address: &str) {
    then.open(address).unwrap();
    let (_, _, wanted) = cells(then).unwrap();
    assert!(wanted.len() > 5, "{wanted:?}");
    for (name, value) in &wanted {
        // Which steps stand in a list is told when it is read.
        match told.get(name) {
            Some(told) => assert_eq!(told, value, "{name} of {address}"),
            None => assert!(name.starts_with("s:"), "no {name}, which {address} has"),
        }
    }
    // Whether somebody is silent is a question of now, and what nobody does is not told of then.
    let now_only = ["t-life", "t-slots", "t-more", "running"];
    let more = told.keys().filter(|name| !wanted.contains_key(*name) && !name.starts_with("s:"));
    let more: Vec<&String> = more.collect();
    assert!(more.iter().all(|name| now_only.contains(&name.as_str())), "{address} has no {more:?}");
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_page_that_was_patched_says_what_one_of_that_event_says() {
    let (_scratch, state) = site_state();
    let (served, browser) = (served(&state, 0), browser());
    let faults = ["node:dgx-05:drop@storage", "node:rehearsal-00011:unreachable@facts", "release:gpu-operator:fails"];
    let faults: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let mut runner = Runner::start(&state, &faults);
    let (first, run) = in_the_middle(&browser, &served, "");
    runner.signal("STOP");
    let then = first.beside(Look::PLAIN).unwrap();
    let parts = ["", "/nodes", "/steps", "/failures", "/nodes/dgx-05", "/steps/nodes/storage/dgx-05"];
    let mut pages: Vec<(Tab<'_>, &str)> = Vec::new();
    for part in parts {
        let tab = first.beside(Look::PLAIN).unwrap();
        tab.open(&format!("{}/r/{run}{part}", served.origin())).unwrap();
        pages.push((tab, part));
    }
    drop(first);
    let (mut compared, mut failed, mut retried) = (BTreeSet::new(), 0, 0);
    for (tab, part) in pages.iter().cycle().take(60) {
        // It goes on for a moment, and waits while a page is looked at. What it waits for meanwhile passes, so that a moment is enough.
        runner.signal("CONT");
        std::thread::sleep(Duration::from_millis(60));
        runner.signal("STOP");
        let Some((seq, told)) = held(tab) else { break };
        is_as_then(&told, &then, &format!("{}/r/{run}{part}?at={seq}", served.origin()));
        tab.front().unwrap();
        tab.ask("document.getElementById('hold').click()").unwrap();
        compared.insert((*part, seq));
        failed += usize::from(told["t-failed"] != "hidden 0");
        retried += usize::from(!told["t-retries"].as_str().unwrap().starts_with("hidden"));
    }
    runner.signal("CONT");
    let compared = compared.len();
    println!("{compared} pages compared, {failed} with failures, {retried} with retries");
    assert!(compared >= 2 * parts.len() && failed > 0 && retried > 0, "{compared}, {failed}, {retried}");
    runner.ends();
    for (tab, part) in &pages {
        ended(tab, "partly");
        same_as_a_late_reader(tab, &format!("{}/r/{run}{part}", served.origin()));
        assert_eq!(tab.seen().unwrap().troubles(served.origin()), Vec::<String>::new(), "{part}");
    }
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_server_that_is_killed_and_started_again_is_followed_on() {
    let (_scratch, state) = site_state();
    let (first, browser) = (served(&state, 0), browser());
    let port: u16 = first.origin().rsplit(':').next().unwrap().parse().unwrap();
    let mut runner = Runner::start(&state, &[]);
    let (tab, run) = in_the_middle(&browser, &first, "");
    drop(first);
    std::thread::sleep(Duration::from_millis(1500));
    let again = served(&state, port);
    runner.ends();
    ended(&tab, "done");
    same_as_a_late_reader(&tab, &format!("{}/r/{run}", again.origin()));
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_runner_that_is_killed_is_said_to_be_gone() {
    let (_scratch, state) = site_state();
    let (served, browser) = (served(&state, 0), browser());
    let mut runner = Runner::start(&state, &[]);
    let (tab, run) = in_the_middle(&browser, &served, "");
    let process = runner.0.id();
    runner.0.kill().unwrap();
    assert_eq!(runner.0.wait().unwrap().code(), None, "it ended before it was killed");
    ended(&tab, "interrupted");
    let gone = format!("document.body.innerText.includes('process {process}')");
    tab.open(&format!("{}/r/{run}", served.origin())).unwrap();
    tab.wait(&gone, OVER).unwrap();
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn who_was_cut_off_catches_up() {
    let (_scratch, state) = site_state();
    let (served, browser) = (served(&state, 0), browser());
    let mut runner = Runner::start(&state, &[]);
    let (tab, run) = in_the_middle(&browser, &served, "");
    tab.offline(true).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    tab.offline(false).unwrap();
    runner.ends();
    ended(&tab, "done");
    same_as_a_late_reader(&tab, &format!("{}/r/{run}", served.origin()));
}

#[test]
#[ignore = "needs Chromium: cargo xtask test --tier page"]
fn a_seventh_tab_opens_although_a_browser_has_six_connections() {
    let (_scratch, state) = site_state();
    let (served, browser) = (served(&state, 0), browser());
    let _runner = Runner::start(&state, &[]);
    let (tab, run) = in_the_middle(&browser, &served, "");
    let address = format!("{}/r/{run}", served.origin());
    let more: Vec<Tab<'_>> = (0..7)
        .map(|_| {
            let tab = tab.beside(Look::PLAIN).unwrap();
            tab.open(&address).unwrap();
            tab
        })
        .collect();
    for tab in &more {
        tab.wait("document.getElementById('t-done') !== null", OVER).unwrap();
    }
}
