//! A run that goes on: what a page that follows it costs, and what two hundred followers cost the run.

use super::http::Place;
use super::measured::{memory, now_ms, percentile, text};
use super::section::{Followed, Live};
use super::stage::{Stage, within};
use super::stream::{Heard, follow};
use crate::commands::Failure;
use crate::measure::median;
use plinth_lab::browser::{Browser, Look, Served, Tab};
use serde::Deserialize;
use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Followers, and how many of them do not read.
const FOLLOWERS: usize = 200;
const STALLED: usize = 20;
/// Nodes of the run that is followed by so many.
const NODES: usize = 200;
/// Rounds with and without them, in turns.
const ROUNDS: usize = 3;
/// Cores of the runner, and of server and followers.
const RUNNER: &str = "0";
const OTHERS: &str = "1";
/// Within this a run that passes watchably is over, on a busy machine too: it waits for eight seconds in all, and works for a few.
const OVER: Duration = Duration::from_secs(90);
/// Within this whoever follows a run has heard of its end.
const HEARD: Duration = Duration::from_secs(20);
/// By then a page whose run has ended has read itself again: it does so after half a second, and not within three of the last time.
const SETTLED: Duration = Duration::from_secs(5);

/// Counts patches of a page of a run, and notes when the run is seen to have ended. A page that is read again goes on
/// counting: a run that moves much, and every one that ends, has that.
const WATCHED: &str = "(() => {
    if (!location.pathname.startsWith('/r/')) return
    const watched = JSON.parse(sessionStorage.getItem('watched') ?? '{\"patches\": [], \"end\": 0, \"loads\": 0}')
    watched.loads++
    window.watched = watched
    const see = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
    see('measure', (one) => { if (one.name === 'plinth-patch') watched.patches.push(one.duration) })
    new MutationObserver(() => {
        const state = document.getElementById('t-state')
        if (!watched.end && state && /done|partly/.test(state.textContent)) watched.end = Date.now()
    }).observe(document, { subtree: true, childList: true, characterData: true })
    addEventListener('pagehide', () => sessionStorage.setItem('watched', JSON.stringify(watched)))
})()";

/// What a page counted, over all times that it was read.
#[derive(Debug, Default, Deserialize)]
struct Watched {
    patches: Vec<f64>,
    end: f64,
    loads: usize,
}

/// A run that takes some ten seconds; killed when dropped.
pub(super) struct Runner {
    child: Child,
    began: Instant,
}

impl Runner {
    pub(super) fn start(mut command: Command) -> Result<Self, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        Ok(Self { child, began: Instant::now() })
    }

    /// Waits for its end; seconds that it took.
    fn ends(&mut self) -> Result<f64, Failure> {
        loop {
            match self.child.try_wait().map_err(|error| format!("waiting for a run: {error}"))? {
                Some(status) if status.success() => return Ok(self.began.elapsed().as_secs_f64()),
                Some(status) => return Err(format!("the run ended with {status}")),
                None if self.began.elapsed() > OVER => return Err("the run does not end".to_owned()),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // One that has ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program pinned to a core.
fn pinned(core: &str, command: &Command) -> Command {
    within(&["taskset", "-c", core], command)
}

fn run_command(stage: &Stage, state: &Path, nodes: usize) -> Command {
    let count = nodes.to_string();
    stage.command(state, &["rehearse", "--pace", "watch", "--progress", "none", "--nodes", &count])
}

/// Waits until a run has begun.
pub(super) fn begun(stage: &Stage, state: &Path) -> Result<String, Failure> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok(run) = stage.last_run(state) {
            return Ok(run);
        }
        if Instant::now() > until {
            return Err("the run does not begin".to_owned());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One page that follows a run from its first seconds to its end.
pub(super) fn live(stage: &Stage, browser: &Browser, nodes: usize) -> Result<Live, Failure> {
    let state = stage.folder().join(format!("live-{nodes}"));
    let mut runner = Runner::start(run_command(stage, &state, nodes))?;
    let run = begun(stage, &state)?;
    let served = stage.serve(&state)?;
    let tab = browser.tab(Look::PLAIN).map_err(text)?;
    tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({"source": WATCHED})).map_err(text)?;
    // A tab that nobody sees does not follow.
    tab.front().map_err(text)?;
    tab.open(served.link()).map_err(text)?;
    tab.open(&format!("{}/r/{run}", served.origin())).map_err(text)?;
    let began = Instant::now();
    runner.ends()?;
    let ended = now_ms();
    let seconds = began.elapsed().as_secs_f64();
    let watched = watched(&tab)?;
    Ok(Live {
        seconds,
        loads: watched.loads,
        patches: watched.patches.len(),
        patch_ms: percentile(watched.patches, 95),
        delay_ms: (watched.end - ended).max(0.0),
    })
}

/// What the page of a run that has just ended counted, once it is still.
fn watched(tab: &Tab<'_>) -> Result<Watched, Failure> {
    tab.wait("(window.watched?.end ?? 0) > 0", HEARD).map_err(text)?;
    std::thread::sleep(SETTLED);
    tab.wait("document.readyState === 'complete' && Boolean(window.watched)", HEARD).map_err(text)?;
    let told = tab.ask("window.watched").map_err(text)?;
    serde_json::from_value(told).map_err(|error| format!("what a page counted: {error}"))
}

/// So many followers, each on a thread of its own, that tell what they heard when the run or their time is over.
pub(super) fn heard(place: &Place, run: &str, followers: usize, until: Instant) -> Receiver<Heard> {
    let (tell, told) = channel();
    for _ in 0..followers {
        // From now on, as whoever has just read the page: what was before is in none of its patches.
        let (tell, place, path) = (tell.clone(), place.clone(), format!("/r/{run}/live"));
        std::thread::spawn(move || tell.send(follow(&place, &path, until)));
    }
    told
}

/// The run's own time without and with followers.
pub(super) fn followers(stage: &Stage) -> Result<Followed, Failure> {
    let own = std::process::id().to_string();
    // Followers are threads of ours, and must not take the runner's core.
    crate::commands::text(Command::new("taskset").args(["-a", "-cp", OTHERS, &own]))?;
    let (mut alone, mut followed, mut peak, mut heard) = (Vec::new(), Vec::new(), 0.0_f64, FOLLOWERS);
    for round in 0..ROUNDS {
        alone.push(one(stage, &format!("alone-{round}"), (0, 0))?.seconds);
        let round = one(stage, &format!("followed-{round}"), (FOLLOWERS - STALLED, STALLED))?;
        followed.push(round.seconds);
        peak = peak.max(round.memory_mib);
        heard = heard.min(round.heard);
    }
    Ok(Followed {
        rounds: ROUNDS,
        alone_s: median(&alone),
        followed_s: median(&followed),
        followers: FOLLOWERS,
        stalled: STALLED,
        heard,
        memory_mib: peak,
    })
}

/// What one run with its followers came to.
struct Round {
    seconds: f64,
    memory_mib: f64,
    /// Followers who were told that it is over.
    heard: usize,
}

fn one(stage: &Stage, name: &str, (reading, stalled): (usize, usize)) -> Result<Round, Failure> {
    let state = stage.folder().join(name);
    let mut runner = Runner::start(pinned(RUNNER, &run_command(stage, &state, NODES)))?;
    let run = begun(stage, &state)?;
    let command = pinned(OTHERS, &stage.command(&state, &["serve", "--listen", "127.0.0.1:0"]));
    let served = Served::start(&command, &stage.folder().join(format!("{name}.log"))).map_err(text)?;
    let place = Place::new(served.origin(), served.token())?;
    let told = heard(&place, &run, reading, Instant::now() + OVER + HEARD);
    let path = format!("/r/{run}/live");
    // Open until the run is over, and never read.
    let stalled = (0..stalled).map(|_| place.asked(&path)).collect::<Result<Vec<_>, _>>()?;
    let seconds = runner.ends()?;
    let until = Instant::now() + HEARD;
    let rest = || told.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    let heard = (0..reading).map_while(|_| rest()).filter(|heard| heard.ended).count();
    drop(stalled);
    Ok(Round { seconds, memory_mib: memory(served.process()), heard })
}
