//! `plinth history`.

use crate::args::{Common, History as Arguments};
use crate::kept::Kept;
use crate::printer::Printer;
use crate::sinks;
use plinth_app::Failure;
use plinth_model::run::{History, history};
use plinth_model::{Exit, Problem};
use plinth_run::journal::About;

/// Says what happened to a node or a step: what, when, by whom, what was there before, and how to undo it. Reads the journal only.
pub(crate) fn run(common: &Common, verb: &Arguments, printer: &Printer) -> Result<Exit, Failure> {
    let kept = Kept::open(common)?;
    let about = verb.what.as_deref().map_or(About::Runs, About::of);
    let mut told = match &kept.journal {
        Some(journal) => journal.history(&about).map_err(Problem::from)?,
        None => History { schema: history::SCHEMA, about: verb.what.clone(), runs: Vec::new() },
    };
    if let Some(last) = verb.last {
        told.runs.drain(..told.runs.len().saturating_sub(last));
    }
    if common.json {
        printer.json(&told);
    } else {
        printer.data(&plinth_report::history::history(
            &kept.site,
            &told,
            verb.all,
            sinks::palette(printer.color_out()),
        ));
    }
    Ok(Exit::Done)
}
