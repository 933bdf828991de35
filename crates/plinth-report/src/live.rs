//! The live view on standard error: a bar per stage, the longest running steps, a foot line; notable news scrolls above.
//!
//! Elapsed times come from event times. Between events they go on with the machine's clock, except in a rehearsal, where
//! time is virtual. Use it only on a terminal: elsewhere it draws nothing, [`crate::Lines`] is for that.

use crate::sink::Sink;
use crate::style::{Palette, Sign};
use crate::text_log::{TextLog, Verbosity, moving};
use crate::wrap::cut;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use plinth_model::amount;
use plinth_model::run::StageView;
use plinth_model::span::{clock, span};
use plinth_model::{Event, EventBody, Plan, RunView, Stage};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Running steps shown; more are counted.
const ROWS: usize = 6;

/// How often times move while no event comes.
const TICK: Duration = Duration::from_millis(500);

/// The live view.
pub struct Live {
    text_log: TextLog,
    palette: Palette,
    multi: MultiProgress,
    stages: BTreeMap<Stage, ProgressBar>,
    rows: Vec<Row>,
    foot: ProgressBar,
    now: Arc<Now>,
    error: Option<io::Error>,
    closed: bool,
    /// Columns, where the terminal is not asked.
    fixed: Option<usize>,
}

/// A line of a running step.
struct Row {
    bar: ProgressBar,
    started: Arc<AtomicU64>,
}

impl Live {
    /// Draws on standard error, knowing the plan: bars then have their full length from the start.
    #[must_use]
    pub fn of_plan(plan: &Plan, palette: Palette) -> Self {
        let text_log = TextLog::of_plan(plan, palette, Verbosity::Notable);
        Self::drawn_on(ProgressDrawTarget::stderr_with_hz(15), text_log, palette)
    }

    fn drawn_on(target: ProgressDrawTarget, mut text_log: TextLog, palette: Palette) -> Self {
        if let Some(width) = columns() {
            text_log.fit(width);
        }
        let multi = MultiProgress::with_draw_target(target);
        let now = Arc::new(Now::new());
        let foot = multi.add(ProgressBar::new_spinner());
        foot.set_style(timed("{time:>9}  {wide_msg}", &now, &Arc::default(), clock));
        let live = Self {
            text_log,
            palette,
            multi,
            stages: BTreeMap::new(),
            rows: Vec::new(),
            foot,
            now,
            error: None,
            closed: false,
            fixed: None,
        };
        if !live.multi.is_hidden() {
            live.foot.enable_steady_tick(TICK);
        }
        live
    }

    fn draw(&mut self) {
        let view = self.text_log.view();
        self.now.set(view.elapsed(), view.run.as_ref().is_some_and(|run| !run.rehearsal));
        self.draw_stages();
        self.draw_rows();
        self.foot.set_message(cut(&foot(self.text_log.view()), self.room(FOOT_COLUMNS)));
    }

    /// Columns that are left of the terminal's line.
    fn room(&self, used: usize) -> usize {
        self.fixed.or_else(columns).map_or(usize::MAX, |width| width.saturating_sub(used))
    }

    fn draw_stages(&mut self) {
        let stages: Vec<(Stage, StageView)> =
            self.text_log.view().stages.iter().map(|(stage, view)| (*stage, *view)).collect();
        for (stage, view) in stages {
            let bar = match self.stages.get(&stage) {
                Some(bar) => bar.clone(),
                None => self.add_stage(stage),
            };
            let seen = view.tally.ended() + view.tally.running();
            bar.set_length(view.total.max(seen) as u64);
            // Only what ended well fills the bar: a stage that failed or was not reached is never full.
            bar.set_position(view.tally.done() as u64);
            if view.tally.failed > 0 {
                bar.set_style(stage_style(self.palette, &view));
            }
            bar.set_message(cut(&stage_message(&view), self.room(STAGE_COLUMNS)));
        }
    }

    fn add_stage(&mut self, stage: Stage) -> ProgressBar {
        // Stages stand in their order of display, whichever is seen first.
        let index = Stage::ALL.iter().filter(|s| **s < stage && self.stages.contains_key(s)).count();
        let bar = self.multi.insert(index, ProgressBar::new(0));
        bar.set_style(stage_style(self.palette, &StageView::default()));
        bar.set_prefix(stage.title());
        self.stages.insert(stage, bar.clone());
        bar
    }

    fn draw_rows(&mut self) {
        let running = self.text_log.view().longest_running();
        let shown = running.len().min(ROWS);
        let started = self.text_log.view().started;
        let wanted: Vec<(u64, String)> = running
            .iter()
            .take(ROWS)
            .map(|(step, running)| {
                let since =
                    started.zip(running.started).map_or(0.0, |(run, step)| step.duration_since(run).as_secs_f64());
                (milliseconds(since), cut(&format!("{step}  {}", moving(running)), self.room(ROW_COLUMNS)))
            })
            .collect();
        while self.rows.len() > shown {
            if let Some(row) = self.rows.pop() {
                row.bar.finish_and_clear();
                self.multi.remove(&row.bar);
            }
        }
        while self.rows.len() < shown {
            let row = self.new_row();
            self.rows.push(row);
        }
        for (row, (started, message)) in self.rows.iter().zip(wanted) {
            row.started.store(started, Ordering::Relaxed);
            row.bar.set_message(message);
        }
    }

    fn new_row(&self) -> Row {
        let started = Arc::new(AtomicU64::new(0));
        let bar = self.multi.insert_before(&self.foot, ProgressBar::new_spinner());
        let mark = self.palette.painted(Sign::Running);
        bar.set_style(timed(&format!("  {mark} {{time:>12}}  {{wide_msg}}"), &self.now, &started, span));
        if !self.multi.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Row { bar, started }
    }

    fn print(&mut self, lines: &[String]) {
        for line in lines.iter().flat_map(|line| line.split('\n')) {
            if let Err(error) = self.multi.println(line) {
                self.error.get_or_insert(error);
            }
        }
    }

    /// Takes the view away; what was printed stays.
    fn close(&mut self) {
        self.closed = true;
        let bars = self.stages.values().chain(self.rows.iter().map(|row| &row.bar)).chain([&self.foot]);
        for bar in bars {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
        if let Err(error) = self.multi.clear() {
            self.error.get_or_insert(error);
        }
    }
}

impl Sink for Live {
    fn event(&mut self, event: &Event) {
        let lines = self.text_log.take(event);
        if matches!(event.body, EventBody::RunFinished { .. }) && !self.closed {
            self.close();
        }
        self.print(&lines);
        if !self.closed {
            self.draw();
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.closed {
            self.close();
        }
        let rest = self.text_log.rest();
        self.print(&rest);
        self.error.take().map_or(Ok(()), Err)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if !self.closed {
            self.close();
        }
    }
}

/// Event time, going on between events.
struct Now {
    made: Instant,
    event_ms: AtomicU64,
    seen_ms: AtomicU64,
    flows: AtomicBool,
}

impl Now {
    fn new() -> Self {
        let (event_ms, seen_ms) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { made: Instant::now(), event_ms, seen_ms, flows: AtomicBool::new(false) }
    }

    fn set(&self, seconds: f64, flows: bool) {
        self.event_ms.store(milliseconds(seconds), Ordering::Relaxed);
        self.seen_ms.store(milliseconds(self.made.elapsed().as_secs_f64()), Ordering::Relaxed);
        self.flows.store(flows, Ordering::Relaxed);
    }

    /// Milliseconds since the run started.
    fn get(&self) -> u64 {
        let event = self.event_ms.load(Ordering::Relaxed);
        if !self.flows.load(Ordering::Relaxed) {
            return event;
        }
        let passed = milliseconds(self.made.elapsed().as_secs_f64());
        event + passed.saturating_sub(self.seen_ms.load(Ordering::Relaxed))
    }
}

/// Columns before the messages of a stage, a running step and the foot.
const STAGE_COLUMNS: usize = 36;
const ROW_COLUMNS: usize = 18;
const FOOT_COLUMNS: usize = 11;

/// Columns of the terminal on standard error, if it is one.
fn columns() -> Option<usize> {
    let mut table = comfy_table::Table::new();
    table.use_stderr();
    table.width().map(usize::from)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn milliseconds(seconds: f64) -> u64 {
    // Saturates: negative becomes 0.
    (seconds * 1000.0) as u64
}

/// A style whose `{time}` is the time since `started`.
fn timed(template: &str, now: &Arc<Now>, started: &Arc<AtomicU64>, written: fn(f64) -> String) -> ProgressStyle {
    let (now, started) = (Arc::clone(now), Arc::clone(started));
    let time = move |_: &ProgressState, out: &mut dyn fmt::Write| {
        let passed = now.get().saturating_sub(started.load(Ordering::Relaxed));
        // A cell of the view that could not be written is drawn again at the next tick.
        let _ = out.write_str(&written(Duration::from_millis(passed).as_secs_f64()));
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()).with_key("time", time)
}

/// 36 columns and a message. Green while all is well, red once something failed.
fn stage_style(palette: Palette, stage: &StageView) -> ProgressStyle {
    let colour = match (palette.colour, stage.tally.failed) {
        (false, _) => "",
        (true, 0) => ".green",
        (true, _) => ".red",
    };
    let style =
        ProgressStyle::with_template(&format!("{{prefix:>11}} {{bar:12{colour}}} {{pos:>4}}/{{len:<4}} {{wide_msg}}"))
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars(if palette.unicode { "━╸─" } else { "#>-" })
}

fn stage_message(stage: &StageView) -> String {
    let tally = &stage.tally;
    let parts = [(tally.failed, "failed"), (tally.not_run, "not run"), (tally.running(), "running")];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    told.join(", ")
}

fn foot(view: &RunView) -> String {
    let ended = view.tally().ended();
    let all = view.run.as_ref().map_or(ended, |run| run.steps);
    let mut parts = vec![format!("{ended}/{all} steps")];
    let tally = view.tally();
    let counted = [(tally.failed, "failed"), (tally.not_run, "not run")];
    parts.extend(counted.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
    if view.warnings() > 0 {
        parts.push(amount(view.warnings(), "warning"));
    }
    let hidden = view.running.len().saturating_sub(ROWS);
    if hidden > 0 {
        parts.push(format!("{hidden} more running"));
    }
    if view.stopping.is_some() {
        parts.push("stopping".to_owned());
    }
    parts.join(", ")
}

#[cfg(test)]
#[path = "screens_tests.rs"]
mod screens;
#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
