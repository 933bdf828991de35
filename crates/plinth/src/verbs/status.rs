//! `plinth status`.

use crate::args::{Common, StatusOptions};
use crate::kept::Kept;
use crate::moment::Moment;
use crate::printer::Printer;
use crate::recorded::{Chosen, Recorded, look, past_before};
use crate::sinks;
use jiff::Timestamp;
use plinth_analysis::{Past, Shape, StopNow, TimeLeft, stop_now, time_left, waiting};
use plinth_app::notify::{self, Undelivered};
use plinth_app::{Failure, state};
use plinth_model::run::{LockView, RunState, Status};
use plinth_model::text::visible_styled;
use plinth_model::{Exit, Problem, RunView, SiteName};
use plinth_report::runs::{self, sentence, waits};
use plinth_run::LockOwner;
use plinth_run::journal::JournalReader;
use plinth_world::{Clock, SystemClock};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Timespec;
use serde::Serialize;
use std::io::IsTerminal;
use std::time::Duration;

/// Between two looks at the journal.
const TICK: Duration = Duration::from_secs(1);

/// How long the frame before is waited for.
const TAKEN: Duration = Duration::from_millis(50);

/// Says how far the last run came. Reads the journal only, so it works while a run is on, and without BCM.
pub(crate) async fn run(common: &Common, verb: &StatusOptions, printer: &Printer) -> Result<Exit, Failure> {
    if let Some(at) = &verb.at {
        return then(common, at, printer);
    }
    if verb.watch {
        return watch(common, printer).await;
    }
    let now = Now::look(common, &mut None)?;
    if common.json {
        printer.json(&now.json());
    } else {
        printer.data(&now.text(printer));
    }
    Ok(Exit::Done)
}

/// How the last run stands at this moment.
struct Now {
    site: SiteName,
    status: Status,
    view: RunView,
    shape: Shape,
    left: Option<TimeLeft>,
    stop: Option<StopNow>,
    undelivered: Vec<Undelivered>,
}

/// Earlier runs, read once for a run: they do not change any more.
type Read = Option<(String, Past)>;

/// `status --json`: the status, and what lies ahead of a run that is on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    #[serde(flatten)]
    status: &'a Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_left: Option<&'a TimeLeft>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_stopped_now: Option<&'a StopNow>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    undelivered: &'a [Undelivered],
}

impl Now {
    fn look(common: &Common, read: &mut Read) -> Result<Self, Failure> {
        let Kept { site, directory, journal } = Kept::open(common)?;
        let now = SystemClock::new().now();
        let lock = match &journal {
            Some(journal) => journal.lock().map_err(Problem::from)?.map(|lock| lock.view(now, &LockOwner::current())),
            None => None,
        };
        let view = journal.as_ref().map(|journal| journal.view().clone()).unwrap_or_default();
        let shape = match (&journal, &view.run) {
            (Some(journal), Some(run)) if view.end.is_none() => {
                journal.plan(&run.plan).map_err(Problem::from)?.read().map(|plan| Shape::of(&plan)).unwrap_or_default()
            }
            _ => Shape::default(),
        };
        let past = match (&journal, &view.run) {
            (Some(journal), Some(run)) if view.end.is_none() => past_of(journal, &site, &run.run, read)?,
            _ => Past::default(),
        };
        let status = match journal {
            Some(journal) => journal.status(lock, now).map_err(Problem::from)?,
            None => Status::of(RunView::default(), lock, now),
        };
        let moving = status.run.id.as_deref().map(|run| state::progress(&directory, run)).unwrap_or_default();
        let status = status.moving(&moving).kept_in(&directory.display().to_string());
        let undelivered = notify::undelivered(&directory);
        Ok(Self { site, status, view, shape, left: None, stop: None, undelivered }.ahead(&past, now))
    }

    /// What lies ahead, of a run that is on. Time in a rehearsal is virtual.
    fn ahead(mut self, past: &Past, now: Timestamp) -> Self {
        if self.status.run.state == RunState::Running {
            let now = if self.status.run.rehearsal { self.view.at.unwrap_or(now) } else { now };
            self.left = time_left(&self.view, &self.shape, past, now);
            self.stop = stop_now(&self.view, past, now);
        }
        self
    }

    fn json(&self) -> Told<'_> {
        let (time_left, if_stopped_now) = (self.left.as_ref(), self.stop.as_ref());
        Told { status: &self.status, time_left, if_stopped_now, undelivered: &self.undelivered }
    }

    /// The status; of a run that is on, or was broken off, also what it waits for.
    fn text(&self, printer: &Printer) -> String {
        let mut text = plinth_report::status::status(&self.site, &self.status, sinks::palette(printer.color_out()));
        if self.status.run.state == RunState::Running {
            let waiting = waiting(&self.view, &self.shape);
            let look = look(printer);
            let parts = [
                self.left.as_ref().map(runs::left),
                sentence(&self.view, &waiting),
                Some(waits(&self.view, &waiting, look)),
                self.stop.as_ref().map(|stop| runs::stop_now(stop, look)),
            ];
            let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
            parts.for_each(|part| text = format!("{text}\n{part}"));
        }
        for left in &self.undelivered {
            text = format!("{text}\n{}", left.sentence());
        }
        text
    }
}

fn past_of(journal: &JournalReader, site: &SiteName, run: &str, read: &mut Read) -> Result<Past, Failure> {
    if let Some((_, past)) = read.as_ref().filter(|(known, _)| known == run) {
        return Ok(past.clone());
    }
    let past = past_before(journal, site, run)?;
    *read = Some((run.to_owned(), past.clone()));
    Ok(past)
}

/// Shows it again and again until the run ends: on a terminal in its place, elsewhere whenever it changed. Ends too
/// when nobody can read it any more.
async fn watch(common: &Common, printer: &Printer) -> Result<Exit, Failure> {
    let in_place = std::io::stdout().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb");
    let mut shown = String::new();
    let mut read = None;
    loop {
        let now = Now::look(common, &mut read)?;
        let (text, ended) = (now.text(printer), now.status.run.state != RunState::Running);
        let out = printer.streams().out();
        // As long as nobody took the one before, the next one takes its place.
        if text != shown && (ended || out.wait(TAKEN)) {
            if in_place {
                out.whole(frame(&text).as_bytes());
            } else {
                printer.data(&format!("{text}\n"));
            }
            shown = text;
        }
        if ended || out.is_broken() || reader_is_gone() {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Whether nobody can read standard output any more: the other end of the pipe is closed, the terminal is gone.
fn reader_is_gone() -> bool {
    let stdout = std::io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let told = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    told.is_ok() && asked.iter().any(|out| out.revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

/// A frame in one write, from the upper left corner; only as many lines as there are rows.
fn frame(text: &str) -> String {
    let rows = comfy_table::Table::new().width().map_or(24, |_| rows());
    let text = visible_styled(text);
    let mut lines: Vec<&str> = text.lines().collect();
    let more = lines.len().saturating_sub(rows.saturating_sub(1));
    if more > 0 {
        lines.truncate(rows.saturating_sub(2));
    }
    let left = if more > 0 { format!("{} more lines: `plinth status`\n", more + 1) } else { String::new() };
    format!("\u{1b}[H\u{1b}[2J{}\n{left}", lines.join("\n"))
}

/// Rows of the terminal.
fn rows() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(24, |size| usize::from(size.ws_row)).max(4)
}

/// Who held the lock for the run at that moment: its holder of now, or, when something was recorded later, the run itself.
fn held(recorded: &Recorded, chosen: &Chosen, view: &RunView, at: Timestamp) -> Option<LockView> {
    let head = view.run.as_ref()?;
    if !chosen.events.iter().any(|event| event.at > at) {
        // Progress is not recorded: in the middle of a long step the newest event is older than the moment.
        let lock = recorded.lock.clone().filter(|lock| lock.run == head.run)?;
        return Some(LockView { alive: lock.alive || lock.heartbeat >= at, ..lock });
    }
    Some(LockView {
        owner: head.owner.clone(),
        run: head.run.clone(),
        acquired: view.started.unwrap_or(at),
        heartbeat: at,
        expires: at,
        alive: true,
    })
}

/// As it was at a moment: of the run that was on then, folded up to there.
fn then(common: &Common, at: &str, printer: &Printer) -> Result<Exit, Failure> {
    let recorded = Recorded::open(common)?;
    let moment = Moment::parse(at)?;
    let (entry, at) = moment.within(&recorded.runs, SystemClock::new().now())?;
    let chosen = recorded.whole(entry)?;
    let view = RunView::of(chosen.events.iter().take_while(|event| event.at <= at));
    let lock = held(&recorded, &chosen, &view, at);
    let status = Status::of(view.clone(), lock, at).kept_in(&recorded.directory.display().to_string());
    let past = recorded.past(entry)?;
    let (site, shape) = (recorded.site.clone(), chosen.shape);
    let undelivered = Vec::new();
    let now = Now { site, status, view, shape, left: None, stop: None, undelivered }.ahead(&past, at);
    if common.json {
        printer.json(&now.json());
    } else {
        printer.data(&format!("as of {at:.0}\n{}", now.text(printer)));
    }
    Ok(Exit::Done)
}
