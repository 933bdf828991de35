//! `plinth status`.

use crate::again::command;
use crate::args::{Common, StatusOptions};
use crate::kept::Kept;
use crate::moment::Moment;
use crate::prediction;
use crate::printer::Printer;
use crate::recorded::{Before, Chosen, Recorded, look};
use crate::terminal;
use jiff::Timestamp;
use plinth_analysis::{
    FailureGroup, Past, Shape, StopNow, TimeLeft, Traits, Waiting, failure_groups, stop_now, time_left, waiting,
};
use plinth_app::drift::{self, ClusterDrift};
use plinth_app::notify::{self, Undelivered};
use plinth_app::{Failure, Input, state};
use plinth_model::run::{Holder, LockView, RunState, Status};
use plinth_model::{Exit, Problem, RunView, SiteName};
use plinth_report::frame::{Line, Scene, Size, frame};
use plinth_report::runs::{self, Look, sentence, waits};
use plinth_report::{Outlet, Painter, Palette, status};
use plinth_run::LockOwner;
use plinth_run::journal::{JournalReader, StoredPlan};
use plinth_world::{Clock, SystemClock};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Timespec;
use serde::Serialize;
use std::io::IsTerminal;
use std::time::Duration;

/// Between two looks at the journal.
const TICK: Duration = Duration::from_secs(1);

/// Columns in front of a frame that stands in the text.
const INDENT: usize = 2;

/// How long the frame before is waited for.
const TAKEN: Duration = Duration::from_millis(50);

/// Says how far the last run came. Reads the journal only, so it works while a run is on, and without BCM; the cluster is asked only with
/// `--drift`.
pub(crate) async fn run(common: &Common, verb: &StatusOptions, printer: &Printer) -> Result<Exit, Failure> {
    if let Some(at) = &verb.at {
        return then(common, at, printer);
    }
    if verb.watch {
        return watch(common, printer).await;
    }
    let now = Now::look(common, &mut None, printer)?;
    let drift = if verb.drift { Some(drift(common, now.status.run.rehearsal).await?) } else { None };
    if common.json {
        printer.json(&WithDrift { told: now.json(), drift: drift.as_ref() });
    } else {
        let lines = drift.iter().flat_map(ClusterDrift::lines);
        printer.text(&std::iter::once(now.text(printer)).chain(lines).collect::<Vec<_>>().join("\n"));
    }
    Ok(drift.filter(|_| verb.detailed_exitcode).map_or(Exit::Done, |drift| ends(&drift)))
}

/// What somebody changed of what the last plan with releases or objects made.
async fn drift(common: &Common, is_rehearsal: bool) -> Result<ClusterDrift, Failure> {
    if is_rehearsal {
        return Ok(ClusterDrift::not_asked("the last run was a rehearsal, which has none"));
    }
    let journal = Kept::open(common)?.journal;
    let plan = journal.map(|journal| journal.plan_with(drift::is_compared)).transpose().map_err(Problem::from)?;
    match plan.and_then(StoredPlan::read).filter(|plan| plan.steps.iter().any(drift::is_compared)) {
        Some(plan) => drift::look(&Input::load(&common.file)?, common.state.as_deref(), &plan).await,
        None => Ok(ClusterDrift::not_asked("no run put releases or objects there, as far as is kept here")),
    }
}

fn ends(drift: &ClusterDrift) -> Exit {
    match (drift.is_drift(), drift.is_whole()) {
        (true, _) => Exit::Pending,
        (false, false) => Exit::Unreachable,
        (false, true) => Exit::Done,
    }
}

/// `status --json`, and with `--drift` what the cluster told.
#[derive(Serialize)]
struct WithDrift<'a> {
    #[serde(flatten)]
    told: Told<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<&'a ClusterDrift>,
}

/// How the last run stands at this moment.
struct Now {
    site: SiteName,
    status: Status,
    view: RunView,
    waiting: Vec<Waiting>,
    groups: Vec<FailureGroup>,
    now_s: f64,
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
    fn look(common: &Common, read: &mut Read, printer: &Printer) -> Result<Self, Failure> {
        let Kept { site, directory, journal } = Kept::open(common)?;
        let now = SystemClock::new().now();
        let lock = match &journal {
            Some(journal) => journal.lock().map_err(Problem::from)?.map(|lock| lock.view(now, &LockOwner::current())),
            None => None,
        };
        let mut view = journal.as_ref().map(|journal| journal.view().clone()).unwrap_or_default();
        let shape = match (&journal, &view.run) {
            (Some(journal), Some(run)) if view.end.is_none() => {
                journal.plan(&run.plan).map_err(Problem::from)?.read().map(|plan| Shape::of(&plan)).unwrap_or_default()
            }
            _ => Shape::default(),
        };
        let past = match (&journal, &view.run) {
            (Some(journal), Some(run)) if view.end.is_none() => past_of(journal, &site, &run.run, (read, printer)),
            _ => Past::default(),
        };
        let status = match journal {
            Some(journal) => journal.status(lock, now).map_err(Problem::from)?,
            None => Status::of(RunView::default(), lock, now),
        };
        let moving = status.run.id.as_deref().map(|run| state::progress(&directory, run)).unwrap_or_default();
        let awaited = status.to_come().and_then(|lock| state::awaited(&directory, &lock.run));
        let status = status
            .moving(&moving)
            .awaiting(awaited)
            .refused(state::refused(&directory))
            .kept_in(&directory.display().to_string(), command(common, "logs"));
        view.moving(&moving);
        let told_at = status.run.id.as_deref().and_then(|run| state::told_at(&directory, run));
        view.at = view.at.max(told_at.filter(|_| status.run.state == RunState::Running));
        let traits = state::facts::traits(&directory).unwrap_or_default();
        let undelivered = notify::undelivered(&directory);
        Ok(Self { undelivered, ..Self::of((site, status), view, (&shape, &traits, &past), now) })
    }

    /// Time in a rehearsal is virtual: it goes on with its events only.
    fn of(
        (site, status): (SiteName, Status),
        view: RunView,
        (shape, traits, past): (&Shape, &Traits, &Past),
        now: Timestamp,
    ) -> Self {
        let now = if status.run.rehearsal { view.at.unwrap_or(now) } else { now };
        let is_on = status.run.state == RunState::Running;
        Self {
            waiting: if is_on { waiting(&view, shape, now) } else { Vec::new() },
            groups: failure_groups(&view, traits),
            now_s: view.started.map_or(0.0, |from| now.duration_since(from).as_secs_f64().max(0.0)),
            left: time_left(&view, shape, past, now).filter(|_| is_on),
            stop: stop_now((&view, shape), past, now).filter(|_| is_on),
            undelivered: Vec::new(),
            site,
            status,
            view,
        }
    }

    fn json(&self) -> Told<'_> {
        let (time_left, if_stopped_now) = (self.left.as_ref(), self.stop.as_ref());
        Told { status: &self.status, time_left, if_stopped_now, undelivered: &self.undelivered }
    }

    fn is_on(&self) -> bool {
        self.status.run.state == RunState::Running
    }

    /// The run as the live view draws it. `groups`: what failed, where it is not told elsewhere.
    fn frame(&self, groups: &[FailureGroup], size: Size, palette: Palette) -> Vec<Line> {
        let (waits, left) = (sentence(&self.view, &self.waiting), self.left.as_ref().map(runs::left));
        let (view, now_s) = (&self.view, self.now_s);
        let scene =
            Scene { view, groups, waits: waits.as_deref(), now_s, left: left.as_deref(), head: false, page: None };
        frame(&scene, size, palette)
    }

    /// The status; of a run that is on with its frame, and with the reason why each step waits. Notifications that did not arrive
    /// come last.
    fn text(&self, printer: &Printer) -> String {
        let look = look(printer);
        let told = if self.is_on() {
            self.text_of_running(look)
        } else {
            status::status(&self.site, &self.status, &self.groups, look.palette)
        };
        let undelivered = self.undelivered.iter().map(Undelivered::sentence);
        std::iter::once(told).chain(undelivered).collect::<Vec<_>>().join("\n")
    }

    fn text_of_running(&self, look: Look) -> String {
        let columns = look.width.map(|width| width.saturating_sub(INDENT + 1));
        let lines = self.frame(&[], Size::endless(columns), look.palette);
        let text = status::status_with(&self.site, &self.status, (&lines, &self.groups), look.palette);
        let waits = waits(&self.view, &self.waiting, look);
        let stop = self.stop.as_ref().map(|stop| runs::stop_now(stop, look)).unwrap_or_default();
        let parts = [text, waits, stop];
        parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The same within a terminal: what the run is on top, its frame below.
    fn screen(&self, (columns, rows): (usize, usize), palette: Palette) -> Vec<Line> {
        let columns = columns.saturating_sub(1).max(1);
        let mut lines = status::heading(&self.site, &self.status, columns, palette);
        let left = rows.saturating_sub(lines.len() + 1);
        lines.extend(self.frame(&self.groups, Size::of_lines(columns, rows, left), palette));
        // The last lines are of more weight than the first, where there are only few.
        lines.split_off(lines.len().saturating_sub(rows.saturating_sub(1).max(1)))
    }
}

fn past_of(journal: &JournalReader, site: &SiteName, run: &str, (read, printer): (&mut Read, &Printer)) -> Past {
    if let Some((_, past)) = read.as_ref().filter(|(known, _)| known == run) {
        return past.clone();
    }
    let past = Before::read(journal, run).told(printer).past(prediction::kept(site).as_ref(), run);
    *read = Some((run.to_owned(), past.clone()));
    past
}

/// Shows it again and again until the run ends: on a terminal in its place, elsewhere whenever it changed. Ends too
/// when nobody can read it any more.
async fn watch(common: &Common, printer: &Printer) -> Result<Exit, Failure> {
    let mut shown = Shown::new(printer);
    let mut read = None;
    loop {
        let now = Now::look(common, &mut read, printer)?;
        let out = printer.streams().out();
        // As long as nobody took the one before, the next one takes its place.
        if !now.is_on() || out.wait(TAKEN) {
            shown.show(&now, printer);
        }
        if !now.is_on() || out.is_broken() || reader_is_gone() {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(TICK).await;
    }
}

/// What stands on standard output.
struct Shown {
    out: Outlet,
    /// Where it is a terminal that can be drawn on.
    painter: Option<Painter>,
    palette: Palette,
    text: String,
}

impl Shown {
    fn new(printer: &Printer) -> Self {
        let in_place = std::io::stdout().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb");
        let palette = look(printer).palette;
        let painter = in_place.then(|| Painter::new(terminal::on_stdout(), palette));
        Self { out: printer.streams().out().clone(), painter, palette, text: String::new() }
    }

    fn show(&mut self, now: &Now, printer: &Printer) {
        let size = terminal::size(std::io::stdout());
        if let Some(painter) = self.painter.as_mut().filter(|_| terminal::went_on()) {
            // A new frame begins below what the shell said meanwhile.
            let _ = painter.leave();
        }
        match &mut self.painter {
            Some(painter) if now.is_on() => {
                let lines = now.screen(size, self.palette);
                self.out.whole(painter.paint(&[], &lines, size, None).as_bytes());
            }
            painter => {
                let text = now.text(printer);
                if let Some(painter) = painter {
                    self.out.whole(painter.erase(&[], size).as_bytes());
                }
                if text != self.text {
                    printer.data(&format!("{text}\n"));
                    self.text = text;
                }
            }
        }
    }
}

impl Drop for Shown {
    /// A watch that is broken off leaves what it showed, and a cursor that can be seen.
    fn drop(&mut self) {
        if let Some(painter) = &mut self.painter {
            self.out.whole(painter.leave().as_bytes());
            terminal::is_free();
        }
    }
}

/// Whether nobody can read standard output any more: the other end of the pipe is closed, the terminal is gone.
fn reader_is_gone() -> bool {
    let stdout = std::io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let told = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    told.is_ok() && asked.iter().any(|out| out.revents().intersects(PollFlags::ERR | PollFlags::HUP))
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
        process: Holder::There,
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
    let status =
        Status::of(view.clone(), lock, at).kept_in(&recorded.directory.display().to_string(), command(common, "logs"));
    let past = recorded.past(&chosen, printer);
    let traits = state::facts::traits(&recorded.directory).unwrap_or_default();
    let now = Now::of((recorded.site.clone(), status), view, (&chosen.shape, &traits, &past), at);
    if common.json {
        printer.json(&now.json());
    } else {
        printer.text(&format!("as of {at:.0}\n{}", now.text(printer)));
    }
    Ok(Exit::Done)
}
