//! `plinth history`.

use crate::args::{Common, History as Arguments};
use crate::kept::Kept;
use crate::printer::{Printer, palette};
use plinth_app::Failure;
use plinth_model::nearest::nearest;
use plinth_model::run::{History, history};
use plinth_model::{Exit, Problem};
use plinth_run::journal::{About, JournalReader};

/// Says what happened to a node or a step: what, when, by whom, what was there before, and how to undo it. Reads the journal only.
pub(crate) fn run(common: &Common, verb: &Arguments, printer: &Printer) -> Result<Exit, Failure> {
    let kept = Kept::open(common)?;
    let about = verb.what.as_deref().map_or(About::Runs, About::of);
    let mut told = match &kept.journal {
        Some(journal) => journal.history(&about).map_err(Problem::from)?,
        None => History { schema: history::SCHEMA, about: verb.what.clone(), runs: Vec::new(), removed: 0 },
    };
    if let Some(last) = verb.last {
        told.runs.drain(..told.runs.len().saturating_sub(last));
    }
    if common.json {
        printer.json(&told);
    } else {
        let palette = palette(printer.color_out());
        printer.data(&plinth_report::history::history(&kept.site, &told, verb.all, palette));
    }
    if let (true, Some(what), Some(journal)) = (told.runs.is_empty(), &verb.what, kept.journal) {
        near(what, &journal).iter().for_each(|near| printer.talk(&format!("the most similar name there is `{near}`")));
    }
    Ok(Exit::Done)
}

/// The node or the step of the newest plan that may have been meant.
fn near(what: &str, journal: &JournalReader) -> Option<String> {
    let plan = journal.plan_with(|_| true).ok()?.read()?;
    let nodes = plan.steps.iter().filter_map(|step| Some(step.work.node()?.as_str()));
    nearest(what, nodes.chain(plan.steps.iter().map(|step| step.id.as_str()))).map(str::to_owned)
}
