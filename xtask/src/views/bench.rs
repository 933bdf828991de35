//! `cargo xtask bench --page`: the budget of pages, measured in a real browser. Ratios count, since a browser without a
//! graphics card draws by the processor.

use super::follow;
use super::http::Place;
use super::measured::{measures, memory, number, percentile, text};
use super::minute;
use super::section::{self, Followed, Live, Minute, Page, RENDERED, ROUNDS, Report};
use super::stage::{SIZES, Stage};
use crate::commands::{self, Failure};
use crate::machine;
use crate::measure::median;
use plinth_lab::browser::{Browser, Look, Served, Tab};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// No part is begun later: with the longest one behind it all is over within a quarter of an hour.
const OPEN: Duration = Duration::from_secs(750);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Pages and reports of runs that are over
    Pages,
    /// A page that follows a run
    Live,
    /// A minute of a run that goes as slowly as a real one
    Minute,
    /// A run with two hundred followers
    Followers,
}

/// Measures all, writes the section of the page; answers whether every limit holds. A part alone is only printed.
pub(crate) fn run(program: Option<&Path>, part: Option<Part>) -> Result<bool, Failure> {
    // Before the build, which is work of ours.
    let load = machine::load();
    let plinth = program.map_or_else(commands::release_binary, |program| Ok(program.to_owned()))?;
    let stage = Stage::new(plinth, OPEN)?;
    match part {
        Some(Part::Pages) => over(&stage, &Browser::start().map_err(text)?).map(|_| true),
        Some(Part::Live) => lives(&stage, &Browser::start().map_err(text)?).map(|_| true),
        Some(Part::Minute) => minutes(&stage, &Browser::start().map_err(text)?).map(|_| true),
        Some(Part::Followers) => followers(&stage).map(|_| true),
        None => all(&stage, program, load),
    }
}

fn all(stage: &Stage, program: Option<&Path>, load: f64) -> Result<bool, Failure> {
    let browser = Browser::start().map_err(text)?;
    let (pages, reports) = over(stage, &browser)?;
    let lives = lives(stage, &browser)?;
    let minutes = minutes(stage, &browser)?;
    let version = browser.version().map_err(text)?;
    drop(browser);
    let followers = followers(stage)?;
    let build = if program.is_some() { "a program that was built before" } else { "release build" };
    section::write(&section::Measured { build, version, load, pages, lives, minutes, reports, followers })
}

/// Pages and reports of runs that are over.
fn over(stage: &Stage, browser: &Browser) -> Result<(Vec<Page>, Vec<Report>), Failure> {
    let (mut pages, mut reports) = (Vec::new(), Vec::new());
    for nodes in SIZES {
        let state = stage.recorded(nodes)?;
        let page = page(stage, browser, (nodes, &state))?;
        println!("bench: {nodes} nodes: {page:?}");
        pages.push(page);
        let report = report(stage, browser, (nodes, &state))?;
        println!("bench: report of {nodes} nodes: {report:?}");
        reports.push(report);
    }
    Ok((pages, reports))
}

fn lives(stage: &Stage, browser: &Browser) -> Result<Vec<Live>, Failure> {
    let one = |nodes: &usize| {
        let live = follow::live(stage, browser, *nodes)?;
        println!("bench: {nodes} nodes, live: {live:?}");
        Ok(live)
    };
    SIZES.iter().map(one).collect()
}

fn minutes(stage: &Stage, browser: &Browser) -> Result<Vec<Minute>, Failure> {
    let one = |nodes: &usize| {
        let minute = minute::minute(stage, browser, *nodes)?;
        println!("bench: {nodes} nodes, a minute: {minute:?}");
        Ok(minute)
    };
    SIZES.iter().map(one).collect()
}

fn followers(stage: &Stage) -> Result<Followed, Failure> {
    let followed = follow::followers(stage)?;
    println!("bench: {followed:?}");
    Ok(followed)
}

const PAINT: &str = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN";

/// Opens an address and waits until something of it is painted.
fn painted(tab: &Tab<'_>, url: &str) -> Result<f64, Failure> {
    // Nothing is painted in a tab that nobody sees.
    tab.front().map_err(text)?;
    tab.open(url).map_err(text)?;
    let seen = "performance.getEntriesByName('first-contentful-paint').length > 0";
    tab.wait(seen, Duration::from_secs(20)).map_err(text)?;
    number(tab, PAINT)
}

/// Milliseconds of layout and style since the page was opened: the browser begins to count with each page.
fn laid_out(tab: &Tab<'_>) -> Result<f64, Failure> {
    let numbers = tab.numbers().map_err(text)?;
    let of = |name: &str| numbers.get(name).copied().unwrap_or(0.0);
    Ok((of("LayoutDuration") + of("RecalcStyleDuration")) * 1000.0)
}

fn page(stage: &Stage, browser: &Browser, (nodes, state): (usize, &Path)) -> Result<Page, Failure> {
    let served = stage.serve(state)?;
    let run = stage.last_run(state)?;
    let url = format!("{}/r/{run}", served.origin());
    let mut page = Page { nodes, ..Page::default() };
    let (mut paints, mut layouts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let tab = browser.tab(Look::PLAIN).map_err(text)?;
        tab.open(served.link()).map_err(text)?;
        let kept = tab.seen().map_err(text)?;
        page.assets = kept.requests.iter().filter(|one| one.kind != "Document").map(|one| one.bytes).sum();
        paints.push(painted(&tab, &url)?);
        layouts.push(laid_out(&tab)?);
        let seen = tab.seen().map_err(text)?;
        page.bytes = seen.requests.iter().filter(|one| one.kind == "Document").map(|one| one.bytes).sum();
        page.requests = seen.requests.len();
        page.off_origin = seen.off_origin(served.origin()).len();
        page.elements = number(&tab, "document.querySelectorAll('*').length")?;
    }
    (page.paint_ms, page.layout_ms) = (median(&paints), median(&layouts));
    let tab = browser.tab(Look::PLAIN).map_err(text)?;
    tab.open(served.link()).map_err(text)?;
    page.timeline_ms = timeline(&tab, &format!("{url}/timeline"))?;
    page.filter_ms = painted(&tab, &format!("{url}/steps?q=state:changed+took:%3E1s"))?;
    server(&served, &run, &mut page)?;
    Ok(page)
}

/// Redraws of the timeline while somebody turns the wheel; the first frame starts the drawing and is left out.
fn timeline(tab: &Tab<'_>, url: &str) -> Result<Option<f64>, Failure> {
    // A wheel that is turned over a tab that nobody sees is never answered.
    tab.front().map_err(text)?;
    tab.open(url).map_err(text)?;
    std::thread::sleep(Duration::from_millis(500));
    for turn in 0..40 {
        let delta = if turn % 8 < 4 { -120 } else { 120 };
        let wheel = json!({"type": "mouseWheel", "x": 640, "y": 500, "deltaX": 0, "deltaY": delta, "modifiers": 2});
        tab.call("Input.dispatchMouseEvent", &wheel).map_err(text)?;
    }
    std::thread::sleep(Duration::from_millis(300));
    let frames = measures(tab, "plinth-timeline")?;
    Ok(percentile(frames.into_iter().skip(1).collect(), 95))
}

/// How long the server takes itself, and its memory.
fn server(served: &Served, run: &str, page: &mut Page) -> Result<(), Failure> {
    let place = Place::new(served.origin(), served.token())?;
    let timed = |path: &str| -> Result<f64, Failure> {
        let began = Instant::now();
        place.read(path)?;
        Ok(began.elapsed().as_secs_f64() * 1000.0)
    };
    let overview = format!("/r/{run}");
    let renders: Vec<f64> = (0..RENDERED).map(|_| timed(&overview)).collect::<Result<_, _>>()?;
    page.render_ms = median(&renders);
    page.render_p99_ms = percentile(renders, 99).unwrap_or(f64::NAN);
    let filter = format!("/r/{run}/steps?q=state:changed+took:%3E1s");
    page.filter_server_ms = median(&(0..ROUNDS).map(|_| timed(&filter)).collect::<Result<Vec<_>, _>>()?);
    page.memory_mib = memory(served.process());
    Ok(())
}

fn report(stage: &Stage, browser: &Browser, (nodes, state): (usize, &Path)) -> Result<Report, Failure> {
    let file = stage.folder().join(format!("bench-{nodes}.html"));
    let out = file.to_string_lossy().into_owned();
    let began = Instant::now();
    stage.told(state, 0, &["report", "--out", &out])?;
    let written_s = began.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&file).map_err(|error| format!("reading {out}: {error}"))?.len();
    let (mut paints, mut reads) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let tab = browser.tab(Look::PLAIN).map_err(text)?;
        paints.push(painted(&tab, &format!("file://{out}"))?);
        let clicked = number(&tab, "(document.querySelector('#read button').click(), performance.now())")?;
        let read = "performance.getEntriesByName('plinth-events').length > 0";
        tab.wait(read, Duration::from_secs(30)).map_err(text)?;
        reads.push(number(&tab, "performance.getEntriesByName('plinth-events')[0].startTime")? - clicked);
    }
    Ok(Report { bytes, written_s, paint_ms: median(&paints), data_ms: median(&reads) })
}
