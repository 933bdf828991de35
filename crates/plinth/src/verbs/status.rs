//! `plinth status`.

use crate::args::Common;
use crate::kept::Kept;
use crate::printer::Printer;
use crate::sinks;
use plinth_app::{Failure, state};
use plinth_model::run::Status;
use plinth_model::{Exit, Problem, RunView};
use plinth_run::LockOwner;
use plinth_world::{Clock, SystemClock};

/// Says how far the last run came. Reads the journal only, so it works while a run is on, and without BCM.
pub(crate) fn run(common: &Common, printer: &Printer) -> Result<Exit, Failure> {
    let Kept { site, directory, journal } = Kept::open(common)?;
    let now = SystemClock::new().now();
    let lock = match &journal {
        Some(journal) => journal.lock().map_err(Problem::from)?.map(|lock| lock.view(now, &LockOwner::current())),
        None => None,
    };
    let status = match journal {
        Some(journal) => journal.status(lock, now).map_err(Problem::from)?,
        None => Status::of(RunView::default(), lock, now),
    };
    let status = status.kept_in(&directory.display().to_string());
    let moving = status.run.id.as_deref().map(|run| state::progress(&directory, run)).unwrap_or_default();
    let status = status.moving(&moving);
    if common.json {
        printer.json(&status);
    } else {
        printer.data(&plinth_report::status::status(&site, &status, sinks::palette(printer.color_out())));
    }
    Ok(Exit::Done)
}
