//! `plinth why`.

use crate::args::{Common, Why};
use crate::printer::Printer;
use crate::recorded::{Recorded, look};
use plinth_app::Failure;
use plinth_model::{Exit, Problem};
use plinth_report::runs::machine::{self, SCHEMA};
use plinth_report::runs::{LEAST_BYTES, Story, story};
use plinth_world::{Clock, SystemClock};
use serde_json::json;

/// Tells the whole story of a run, never longer than asked for. Reads the journal only.
pub(crate) fn run(common: &Common, verb: &Why, printer: &Printer) -> Result<Exit, Failure> {
    if verb.bytes < LEAST_BYTES {
        return Err(Problem::while_doing("telling the story of a run")
            .wrong_input(format!("{} bytes are too few for one", verb.bytes))
            .try_this(format!("give {LEAST_BYTES} or more"))
            .into());
    }
    let recorded = Recorded::open(common)?;
    if recorded.runs.is_empty() {
        let told = format!("{}: never applied", recorded.site);
        match common.json {
            true => printer.json(&json!({"schema": SCHEMA, "run": null, "causes": [], "waiting": null, "story": told})),
            false => printer.text(&told),
        }
        return Ok(Exit::Done);
    }
    let mut chosen = recorded.choose(&verb.which.run)?;
    recorded.ahead(&mut chosen, SystemClock::new().now(), printer)?;
    let shown = chosen.shown();
    // The JSON is the same whatever the terminal can show.
    let unicode = !common.json && look(printer).palette.unicode;
    let told = story(&Story { site: &recorded.site, shown, bytes: verb.bytes, unicode });
    if common.json {
        printer.json(&machine::story(&shown, &told));
    } else {
        printer.text(&told);
    }
    Ok(Exit::Done)
}
