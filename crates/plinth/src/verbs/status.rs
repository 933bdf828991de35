//! `plinth status`.

use crate::args::Common;
use crate::printer::Printer;
use crate::sinks;
use plinth_app::{Failure, Input, state};
use plinth_model::run::Status;
use plinth_model::{Exit, Problem, RunView};
use plinth_run::journal::JournalReader;
use plinth_run::{Journal, LockOwner};
use plinth_world::{Clock, SystemClock};
use std::path::Path;

/// Says how far the last run came. Reads the journal only, so it works while a run is on, and without BCM.
pub(crate) fn run(common: &Common, printer: &Printer) -> Result<Exit, Failure> {
    let site = Input::load(&common.file)?.site.desired.name;
    let directory = state::directory(common.state.as_deref(), &site)?;
    state::inspect(&directory)?;
    readable(&directory, common.state.is_some())?;
    let reader = Journal::open_read_only(&directory).map_err(Problem::from)?;
    let now = SystemClock::new().now();
    let lock = match &reader {
        Some(reader) => reader.lock().map_err(Problem::from)?.map(|lock| lock.view(now, &LockOwner::current())),
        None => None,
    };
    let view = reader.map_or_else(RunView::default, JournalReader::into_view);
    state::same_site(&directory, &site, view.run.as_ref().map(|run| &run.site))?;
    let status = Status::of(view, lock, now);
    if common.json {
        printer.json(&status);
    } else {
        printer.data(&plinth_report::status::status(&site, &status, sinks::palette(printer)));
    }
    Ok(Exit::Done)
}

/// A folder that cannot be looked into says nothing about the site; only one of our own choosing may be missing.
fn readable(directory: &Path, given: bool) -> Result<(), Problem> {
    match std::fs::read_dir(directory) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !given => Ok(()),
        Err(error) => Err(Problem::while_doing("reading the state directory")
            .to(directory.display())
            .wrong_input(error)
            .try_this("check the folder given with `--state`")),
    }
}
