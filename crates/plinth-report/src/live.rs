//! The live view: a frame at the bottom of the terminal that is drawn again and again, and what is worth keeping scrolls above it.
//!
//! Elapsed times come from event times. Between events they go on with the machine's clock, except in a rehearsal, where time is virtual.
//! It may wait for its terminal, so it runs behind a [`crate::Background`]; frames are left out then, lines are not.

use crate::background::View;
use crate::frame::{Scene, Size, frame};
use crate::painter::{Features, Painter, Taskbar};
use crate::runs::{awaited, left, sentence};
use crate::sink::Sink;
use crate::style::Palette;
use crate::text_log::{TextLog, Verbosity};
use jiff::{SignedDuration, Timestamp};
use plinth_analysis::{FailureGroup, Past, Shape, Traits, time_left, waiting};
use plinth_model::{Event, EventBody, Plan, RunView, StepId};
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// Between two frames, at least.
const FRAME: Duration = Duration::from_millis(100);
/// How often times move while no event comes.
const TICK: Duration = Duration::from_secs(1);
/// A look at the whole run is followed by so many times what it took without one: of a small run each frame has its own, of a large one
/// looking costs a twentieth of one core at most.
const LOOK_COST: u32 = 20;

/// A terminal that a view draws on.
pub struct Terminal {
    /// Where it is written to.
    pub out: Box<dyn Write + Send>,
    /// Columns and rows, now.
    pub size: Box<dyn Fn() -> (usize, usize) + Send>,
    /// What it can do.
    pub features: Features,
}

/// Reads the runs of the site before the one with this id.
pub type Earlier = Box<dyn FnOnce(&str) -> Past + Send>;

/// The live view.
pub struct Live {
    text_log: TextLog,
    palette: Palette,
    terminal: Terminal,
    painter: Painter,
    shape: Shape,
    history: History,
    page: Option<String>,
    known: Known,
    /// Lines that scroll, since the last frame.
    above: Vec<String>,
    changed: bool,
    drawn: Option<Instant>,
    /// When the newest event came.
    heard: Instant,
    error: Option<io::Error>,
    closed: bool,
}

/// What is known of earlier runs. Reading a large journal takes longer than anybody looks at an empty terminal.
enum History {
    Unread(Earlier),
    Reading(Receiver<Past>),
    Known(Past),
}

impl Default for History {
    fn default() -> Self {
        Self::Known(Past::default())
    }
}

impl History {
    /// None as long as it is read. `run`: the one that is drawn.
    fn of(&mut self, run: &str) -> Option<&Past> {
        *self = match std::mem::take(self) {
            Self::Unread(earlier) => Self::read(earlier, run.to_owned()),
            Self::Reading(told) => match told.try_recv() {
                Ok(past) => Self::Known(past),
                Err(TryRecvError::Empty) => Self::Reading(told),
                Err(TryRecvError::Disconnected) => Self::default(),
            },
            known @ Self::Known(_) => known,
        };
        match self {
            Self::Known(past) => Some(past),
            Self::Unread(_) | Self::Reading(_) => None,
        }
    }

    fn read(earlier: Earlier, run: String) -> Self {
        let (tell, told) = channel();
        let reader = std::thread::Builder::new().name("history".to_owned()).spawn(move || {
            // A view that is over wants to know nothing any more.
            let _ = tell.send(earlier(&run));
        });
        if reader.is_ok() { Self::Reading(told) } else { Self::default() }
    }
}

/// What takes a look at the whole run: kept for some frames.
#[derive(Default)]
struct Known {
    waits: Option<String>,
    /// The step that this names.
    awaited: Option<StepId>,
    left: Option<String>,
    groups: Vec<FailureGroup>,
    looked: Rare,
    /// An estimate plays the rest of the run many times: it is the dearest of all, and keeps nothing else waiting.
    estimated: Rare,
}

/// Something that costs time and is not done more often than it is worth.
#[derive(Default)]
struct Rare(Option<(Instant, Duration)>);

impl Rare {
    fn is_due(&self) -> bool {
        self.0.is_none_or(|(at, cost)| at.elapsed() >= cost * LOOK_COST)
    }

    fn done(&mut self, began: Instant) {
        self.0 = Some((began, began.elapsed()));
    }
}

impl Live {
    /// Knows the plan, so also what a step waits for.
    #[must_use]
    pub fn of_plan(plan: &Plan, palette: Palette, terminal: Terminal) -> Self {
        Self::new(TextLog::of_plan(plan, palette, Verbosity::Notable), Shape::of(plan), palette, terminal)
    }

    fn new(text_log: TextLog, shape: Shape, palette: Palette, terminal: Terminal) -> Self {
        Self {
            text_log,
            palette,
            painter: Painter::new(terminal.features, palette),
            terminal,
            shape,
            history: History::default(),
            page: None,
            known: Known::default(),
            above: Vec::new(),
            changed: false,
            drawn: None,
            heard: Instant::now(),
            error: None,
            closed: false,
        }
    }

    /// Knows this of the nodes: what the failed ones share is said.
    #[must_use]
    pub fn knowing(mut self, traits: Traits) -> Self {
        self.text_log.know(traits);
        self
    }

    /// Knows earlier runs: how long it still takes is said as soon as they are read. That begins with the run, and nothing waits for it.
    #[must_use]
    pub fn after(mut self, earlier: Earlier) -> Self {
        self.history = History::Unread(earlier);
        self
    }

    /// Knows the link of the page that is served beside the run.
    #[must_use]
    pub fn served_at(mut self, link: Option<String>) -> Self {
        self.page = link;
        self
    }

    /// Seconds since the run began.
    fn now_s(&self) -> f64 {
        let view = self.text_log.view();
        let flows = view.run.as_ref().is_some_and(|run| !run.rehearsal);
        view.elapsed() + if flows { self.heard.elapsed().as_secs_f64() } else { 0.0 }
    }

    /// The time by the run's clock.
    fn now(&self) -> Option<Timestamp> {
        let started = self.text_log.view().started?;
        started.checked_add(SignedDuration::try_from_secs_f64(self.now_s()).ok()?).ok()
    }

    /// What the run waits for, unless that has ended since it was looked at.
    fn waits(&self) -> Option<&str> {
        let view = self.text_log.view();
        let is_over = self.known.awaited.as_ref().is_some_and(|step| !view.state_of(step).is_running());
        self.known.waits.as_deref().filter(|_| !is_over)
    }

    fn look(&mut self) {
        if self.known.looked.is_due() {
            let (began, view) = (Instant::now(), self.text_log.view());
            let all = waiting(view, &self.shape, self.now().unwrap_or_default());
            self.known.waits = sentence(view, &all);
            self.known.awaited = awaited(view, &all).cloned();
            self.known.groups = self.text_log.failures();
            self.known.looked.done(began);
        }
        if self.known.estimated.is_due() {
            self.estimate();
        }
    }

    fn estimate(&mut self) {
        let (began, now, view) = (Instant::now(), self.now(), self.text_log.view());
        let Some(past) = view.run.as_ref().and_then(|run| self.history.of(&run.run)) else { return };
        self.known.left = now.and_then(|now| time_left(view, &self.shape, past, now)).map(|some| left(&some));
        self.known.estimated.done(began);
    }

    fn draw(&mut self) {
        self.look();
        let (columns, rows) = (self.terminal.size)();
        let (view, now_s) = (self.text_log.view(), self.now_s());
        let scene = Scene {
            view,
            groups: &self.known.groups,
            waits: self.waits(),
            now_s,
            left: self.known.left.as_deref(),
            head: true,
            page: self.page.as_deref(),
        };
        // The last column stays free: a terminal that waits there to break the line clears the wrong one.
        let frame = frame(&scene, Size::below(columns.saturating_sub(1).max(1), rows), self.palette);
        let taskbar = taskbar(view);
        let bytes = self.painter.paint(&self.above, &frame, (columns, rows), taskbar);
        self.write(&bytes);
        self.above.clear();
        self.changed = false;
        self.drawn = Some(Instant::now());
    }

    fn write(&mut self, bytes: &str) {
        let written = self.terminal.out.write_all(bytes.as_bytes()).and_then(|()| self.terminal.out.flush());
        if let Err(error) = written {
            self.error.get_or_insert(error);
        }
    }

    /// Takes the view away; what was printed stays.
    fn erase(&mut self) {
        let bytes = self.painter.erase(&self.above, (self.terminal.size)());
        self.above.clear();
        self.write(&bytes);
    }

    /// How long until the next frame may be drawn.
    fn until_frame(&self) -> Duration {
        self.drawn.map_or(Duration::ZERO, |drawn| FRAME.saturating_sub(drawn.elapsed()))
    }
}

impl Sink for Live {
    fn event(&mut self, event: &Event) {
        self.text_log.fit((self.terminal.size)().0);
        self.heard = Instant::now();
        self.above.extend(self.text_log.take(event));
        self.changed = true;
        if matches!(event.body, EventBody::RunFinished { .. }) || self.closed {
            self.closed = true;
            self.erase();
        } else if self.until_frame().is_zero() {
            self.draw();
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.closed = true;
        self.above.extend(self.text_log.rest());
        self.erase();
        self.error.take().map_or(Ok(()), Err)
    }
}

impl View for Live {
    fn tick(&mut self) -> Option<Duration> {
        if self.closed || self.text_log.view().run.is_none() {
            return None;
        }
        let is_old = self.drawn.is_none_or(|drawn| drawn.elapsed() >= TICK);
        if (self.changed || is_old) && self.until_frame().is_zero() {
            self.draw();
        }
        Some(if self.changed { self.until_frame() } else { TICK })
    }

    fn pause(&mut self) {
        self.erase();
        self.changed = true;
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if !self.closed {
            self.erase();
        }
    }
}

fn taskbar(view: &RunView) -> Option<Taskbar> {
    let (all, tally) = (view.run.as_ref()?.steps.max(1), view.tally());
    let percent = (tally.ended() * 100 / all).min(100);
    Some(Taskbar { percent: u8::try_from(percent).unwrap_or(100), failed: tally.failed > 0 })
}

#[cfg(test)]
#[path = "screens_tests.rs"]
mod screens;
#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
