//! A run that goes on: what a page that follows it costs, and what two hundred followers cost the run.

use super::http::Place;
use super::measured::{measures, memory, number, percentile, text};
use super::section::{Followed, Live};
use super::stage::Stage;
use crate::commands::Failure;
use crate::measure::median;
use plinth_lab::browser::{Browser, Look, Served};
use serde_json::json;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
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
/// Within this a run that passes watchably is over, on a busy machine too.
const OVER: Duration = Duration::from_secs(300);
/// Bytes that a follower asks for at once.
const CHUNK: usize = 16 * 1024;

/// Counts long tasks, and notes when the run is seen to have ended.
const WATCHED: &str = "window.longTasks = 0; window.seenEnd = 0;\
    new PerformanceObserver(list => window.longTasks += list.getEntries().length).observe({type: 'longtask', buffered: true});\
    new MutationObserver(() => { const state = document.getElementById('t-state');\
        if (!window.seenEnd && state && /done|partly/.test(state.textContent)) window.seenEnd = Date.now(); })\
        .observe(document, {subtree: true, childList: true, characterData: true});";

/// A run that takes some ten seconds; killed when dropped.
struct Runner {
    child: Child,
    began: Instant,
}

impl Runner {
    fn start(mut command: Command) -> Result<Self, Failure> {
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
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", core]).arg(command.get_program()).args(command.get_args());
    pinned.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        pinned.current_dir(folder);
    }
    pinned
}

fn run_command(stage: &Stage, state: &Path, nodes: usize) -> Command {
    let count = nodes.to_string();
    stage.command(state, &["rehearse", "--pace", "watch", "--progress", "none", "--nodes", &count])
}

/// Waits until a run has begun.
fn begun(stage: &Stage, state: &Path) -> Result<String, Failure> {
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
    tab.open(served.link()).map_err(text)?;
    tab.open(&format!("{}/r/{run}", served.origin())).map_err(text)?;
    let place = Place::new(served.origin(), served.token())?;
    let stream = place.asked(&format!("/r/{run}/live?from=0"))?;
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(read(stream)));
    let watched = Instant::now();
    runner.ends()?;
    let ended = now_ms();
    let seconds = watched.elapsed().as_secs_f64();
    tab.wait("window.seenEnd > 0", Duration::from_secs(30)).map_err(text)?;
    let delay_ms = (number(&tab, "window.seenEnd")? - ended).max(0.0);
    let patches = measures(&tab, "plinth-patch")?;
    let long_tasks = number(&tab, "window.longTasks")?;
    // The stream ends with its server.
    drop(served);
    let (mean, peak) = told.recv_timeout(Duration::from_secs(30)).map_err(|_| "a stream does not end")?;
    let count = patches.len();
    let patch_ms = percentile(patches, 95);
    Ok(Live { seconds, patches: count, patch_ms, long_tasks, delay_ms, stream_mean: mean, stream_peak: peak })
}

#[allow(clippy::cast_precision_loss)]
fn now_ms() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_millis() as f64)
}

/// Reads to the end: bytes a second in the mean while something came, and of the second with most.
fn read(mut stream: TcpStream) -> (f64, f64) {
    let (began, mut seconds, mut chunk) = (Instant::now(), Vec::<f64>::new(), [0; CHUNK]);
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        let at = usize::try_from(began.elapsed().as_secs()).unwrap_or(0);
        seconds.resize(seconds.len().max(at + 1), 0.0);
        if let Some(second) = seconds.get_mut(at) {
            *second += f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
    let all: f64 = seconds.iter().sum();
    let count = f64::from(u32::try_from(seconds.len().max(1)).unwrap_or(u32::MAX));
    (all / count, seconds.into_iter().fold(0.0, f64::max))
}

/// The run's own time without and with followers.
pub(super) fn followers(stage: &Stage) -> Result<Followed, Failure> {
    let own = std::process::id().to_string();
    // Followers are threads of ours, and must not take the runner's core.
    crate::commands::output(Command::new("taskset").args(["-a", "-cp", OTHERS, &own]))?;
    let (mut alone, mut followed, mut peak) = (Vec::new(), Vec::new(), 0.0_f64);
    for round in 0..ROUNDS {
        alone.push(one(stage, &format!("alone-{round}"), 0)?.0);
        let (seconds, mib) = one(stage, &format!("followed-{round}"), FOLLOWERS)?;
        followed.push(seconds);
        peak = peak.max(mib);
    }
    Ok(Followed {
        rounds: ROUNDS,
        alone_s: median(&alone),
        followed_s: median(&followed),
        followers: FOLLOWERS,
        stalled: STALLED,
        memory_mib: peak,
    })
}

fn one(stage: &Stage, name: &str, followers: usize) -> Result<(f64, f64), Failure> {
    let state = stage.folder().join(name);
    let mut runner = Runner::start(pinned(RUNNER, &run_command(stage, &state, NODES)))?;
    let run = begun(stage, &state)?;
    let command = pinned(OTHERS, &stage.command(&state, &["serve", "--listen", "127.0.0.1:0"]));
    let served = Served::start(&command, &stage.folder().join(format!("{name}.log"))).map_err(text)?;
    let place = Place::new(served.origin(), served.token())?;
    let path = format!("/r/{run}/live?from=0");
    let streams: Vec<TcpStream> = (0..followers).map(|_| place.asked(&path)).collect::<Result<_, _>>()?;
    let mut stalled = Vec::new();
    for (number, stream) in streams.into_iter().enumerate() {
        if number < STALLED {
            stalled.push(stream);
        } else {
            std::thread::spawn(move || read(stream));
        }
    }
    let seconds = runner.ends()?;
    Ok((seconds, memory(served.process())))
}
