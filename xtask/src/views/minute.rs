//! A minute of a run that goes as slowly as a real one: what a follower is sent, and how soon an event is on the screen.

use super::follow::{Runner, begun, heard};
use super::http::Place;
use super::measured::{now_ms, percentile, text};
use super::section::Minute;
use super::stage::Stage;
use crate::commands::Failure;
use plinth_lab::browser::{Browser, Look};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long it is followed.
const MINUTE: Duration = Duration::from_secs(60);
/// Between two looks at the file of events: far below what is measured.
const LOOK: Duration = Duration::from_millis(2);

/// Notes of each patch when the frame is drawn that shows it, and counts long tasks. A page that is read again goes on counting.
const NOTED: &str = "(() => {
    if (!location.pathname.startsWith('/r/')) return
    const minute = JSON.parse(sessionStorage.getItem('minute') ?? '{\"shown\": [], \"tasks\": 0}')
    window.minute = minute
    new PerformanceObserver((list) => { minute.tasks += list.getEntries().length }).observe({ type: 'longtask', buffered: true })
    const Source = window.EventSource
    window.EventSource = class extends Source {
        constructor (...all) {
            super(...all)
            const shown = (seq) => requestAnimationFrame(() => minute.shown.push([seq, Date.now()]))
            this.addEventListener('patch', (event) => {
                const patch = JSON.parse(event.data)
                if (!patch.reload) shown(patch.seq)
            })
        }
    }
    addEventListener('pagehide', () => sessionStorage.setItem('minute', JSON.stringify(minute)))
})()";

/// Follows the first minute of a run, in which the most happens at once.
pub(super) fn minute(stage: &Stage, browser: &Browser, nodes: usize) -> Result<Minute, Failure> {
    let state = stage.folder().join(format!("minute-{nodes}"));
    let (count, events) = (nodes.to_string(), stage.folder().join(format!("minute-{nodes}.ndjson")));
    let file = events.to_string_lossy().into_owned();
    let words = ["rehearse", "--pace", "real", "--progress", "none", "--nodes", &count, "--events", &file];
    let runner = Runner::start(stage.command(&state, &words))?;
    let written = Written::of(&events);
    let run = begun(stage, &state)?;
    let served = stage.serve(&state)?;
    let tab = browser.tab(Look::PLAIN).map_err(text)?;
    tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({"source": NOTED})).map_err(text)?;
    // A tab that nobody sees does not follow.
    tab.front().map_err(text)?;
    tab.open(served.link()).map_err(text)?;
    tab.open(&format!("{}/r/{run}", served.origin())).map_err(text)?;
    let told = heard(&Place::new(served.origin(), served.token())?, &run, 1, Instant::now() + MINUTE);
    let heard = told.recv_timeout(MINUTE * 2).map_err(|_| "a stream is not followed to the end of the minute")?;
    let seen = tab.ask("window.minute").map_err(text)?;
    drop(runner);
    let delays = delays(&written.told(), &seen["shown"]);
    Ok(Minute {
        events: delays.len(),
        shown_ms: percentile(delays, 95),
        long_tasks: seen["tasks"].as_f64().unwrap_or(f64::NAN),
        stream_mean: heard.mean(),
        stream_peak: heard.peak(),
    })
}

/// Milliseconds from writing to showing, of each event that came behind the first patch and is in one.
fn delays(written: &[(u64, f64)], shown: &Value) -> Vec<f64> {
    let shown = shown.as_array().into_iter().flatten();
    let shown: Vec<(u64, f64)> = shown.filter_map(|one| Some((one[0].as_u64()?, one[1].as_f64()?))).collect();
    let Some((first, _)) = shown.first().copied() else { return Vec::new() };
    let of = |(seq, at): &(u64, f64)| {
        let (_, seen) = shown.iter().find(|(upto, _)| upto >= seq)?;
        (*seq > first).then_some((seen - at).max(0.0))
    };
    written.iter().filter_map(of).collect()
}

/// Notes when each event came into a file.
struct Written {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(u64, f64)>>,
}

impl Written {
    fn of(file: &Path) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (file, is_over) = (file.to_owned(), Arc::clone(&over));
        Self { over, thread: std::thread::spawn(move || tail(&file, &is_over)) }
    }

    /// Numbers of events with their times in milliseconds since 1970.
    fn told(self) -> Vec<(u64, f64)> {
        self.over.store(true, Ordering::Relaxed);
        // One that panicked noted nothing.
        self.thread.join().unwrap_or_default()
    }
}

fn tail(file: &PathBuf, is_over: &AtomicBool) -> Vec<(u64, f64)> {
    let (mut noted, mut line) = (Vec::new(), String::new());
    let mut reader = None;
    while !is_over.load(Ordering::Relaxed) {
        if reader.is_none() {
            reader = std::fs::File::open(file).ok().map(BufReader::new);
        }
        // A line may come in two pieces: what has no end yet stays.
        match reader.as_mut().map(|reader| reader.read_line(&mut line)) {
            Some(Ok(1..)) if line.ends_with('\n') => {
                let seq = serde_json::from_str::<Value>(&line).ok().and_then(|event| event["seq"].as_u64());
                noted.extend(seq.map(|seq| (seq, now_ms())));
                line.clear();
            }
            Some(Ok(1..)) => {}
            _ => std::thread::sleep(LOOK),
        }
    }
    noted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_by_the_first_patch_that_holds_it() {
        let written = [(1, 100.0), (2, 110.0), (3, 120.0), (4, 130.0), (5, 140.0)];
        // The page came up with event 2; nobody saw event 5.
        assert_eq!(delays(&written, &json!([[2, 200.0], [4, 400.0]])), [280.0, 270.0]);
        assert_eq!(delays(&written, &json!([])), Vec::<f64>::new());
    }
}
