//! `plinth status`.

use crate::args::Common;
use crate::kept::Kept;
use crate::printer::Printer;
use crate::sinks;
use jiff::Timestamp;
use plinth_app::{Failure, state};
use plinth_model::run::{LockView, Status};
use plinth_model::{Exit, Problem, RunView};
use plinth_run::LockOwner;
use plinth_run::journal::{JournalReader, WholeRun};
use plinth_world::{Clock, SystemClock};

/// Says how far the last run came. Reads the journal only, so it works while a run is on, and without BCM.
pub(crate) fn run(common: &Common, printer: &Printer) -> Result<Exit, Failure> {
    let Kept { site, directory, journal } = Kept::open(common)?;
    let now = SystemClock::new().now();
    let lock = match &journal {
        Some(journal) => journal.lock().map_err(Problem::from)?.map(|lock| lock.view(now, &LockOwner::current())),
        None => None,
    };
    let status = of(journal, lock, now)?.kept_in(&directory.display().to_string());
    let moving = status.run.id.as_deref().map(|run| state::progress(&directory, run)).unwrap_or_default();
    let status = status.moving(&moving);
    if common.json {
        printer.json(&status);
    } else {
        printer.data(&plinth_report::status::status(&site, &status, sinks::palette(printer.color_out())));
    }
    Ok(Exit::Done)
}

/// A run of checks alone, or of one small thing such as a rollback, says nothing about how far the site is, so it stands beside the run
/// before it once it is over.
fn of(journal: Option<JournalReader>, lock: Option<LockView>, now: Timestamp) -> Result<Status, Problem> {
    let Some(journal) = journal else { return Ok(Status::of(RunView::default(), lock, now)) };
    let last = journal.view().run.as_ref().map(|run| &run.run);
    let runs = lock.as_ref().is_some_and(|lock| lock.alive && last == Some(&lock.run));
    let whole = if runs { None } else { journal.whole_before()? };
    Ok(match whole {
        Some(WholeRun { run, checks, small }) => {
            Status::of(run, lock, now).followed_by(checks.as_ref(), small.as_ref())
        }
        None => Status::of(journal.into_view(), lock, now),
    })
}
