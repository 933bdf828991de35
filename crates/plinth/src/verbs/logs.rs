//! `plinth logs`.

use crate::args::{Common, Logs};
use crate::kept::Kept;
use crate::printer::{Printer, palette};
use plinth_app::{Failure, logs};
use plinth_model::text::visible;
use plinth_model::{Exit, Problem};

/// Lists the logs of a site, or prints one: the newest, that of a step, or one by its name. Secrets were taken out when they were
/// written; what a terminal would obey is taken out here.
pub(crate) fn run(common: &Common, verb: &Logs, printer: &Printer) -> Result<Exit, Failure> {
    let kept = Kept::open(common)?;
    let found = logs::logs(&kept.directory, kept.journal.as_ref())?;
    let Some(what) = &verb.what else {
        if common.json {
            printer.json(&found);
        } else {
            printer.text(&plinth_report::logs::logs(&kept.site, &found, palette(printer.color_out())));
        }
        return Ok(Exit::Done);
    };
    let log = found.find(what).ok_or_else(|| unknown(what))?;
    if verb.path || common.json {
        if common.json {
            printer.json(log)
        } else {
            printer.data(&log.path)
        }
        return Ok(Exit::Done);
    }
    printer.talk(&log.path);
    for line in logs::lines(log)? {
        printer.data(&visible(&line?));
    }
    Ok(Exit::Done)
}

fn unknown(what: &str) -> Problem {
    Problem::while_doing("finding the log of")
        .to(format!("`{what}`"))
        .wrong_input("no log of that name or step is kept")
        .try_this("`plinth logs` lists them; `last` is the newest log of a play, `run` that of plinth itself")
}
