//! A run that goes on while it is looked at, and everything that may break on the way.

use crate::ground::{browser, plinth, served, site_state};
use plinth_lab::browser::{Look, Served, Tab};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Stdio};
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
    for (tab, _) in &others {
        ended(tab, "partly");
    }
    assert_eq!(tab.seen().unwrap().troubles(served.origin()), Vec::<String>::new());
    drop(scratch);
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
