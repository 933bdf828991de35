//! `plinth explain`.

use crate::args::{Common, Explain};
use crate::explain;
use crate::printer::Printer;
use plinth_app::world::{recorded_inventory, synthetic};
use plinth_app::{Failure, Goal, Input};
use plinth_model::{Exit, Problem, StepId};
use plinth_plan::Observed;

/// Explains a word, or a step of the site's plan.
pub(crate) fn run(common: &Common, verb: &Explain, printer: &Printer) -> Result<Exit, Failure> {
    if let Some(text) = explain::word(&verb.what) {
        printer.data(&text);
        return Ok(Exit::Done);
    }
    let Ok(id) = StepId::try_from(verb.what.clone()) else { return Err(unknown(&verb.what, "").into()) };
    let input = Input::load(&common.file)?;
    let inventory = match &verb.from.inventory {
        Some(file) => recorded_inventory(file)?,
        None => synthetic(&input.site.desired, None)?.inventory,
    };
    let plan = Goal::Site.plan(&input.site.desired, &Observed::new(inventory), &input.catalog);
    let plan = plan.map_err(|findings| input.rejected(findings))?;
    match plan.steps.iter().find(|step| step.id == id) {
        Some(step) => printer.data(&explain::step(&plan, step)),
        None => {
            let happened = "no step of this site's plan has this id; `plinth plan` lists them";
            return Err(unknown(&verb.what, happened).into());
        }
    }
    Ok(Exit::Done)
}

fn unknown(what: &str, happened: &str) -> Problem {
    let happened = if happened.is_empty() { "it is no step id, kind of step, finding code or table" } else { happened };
    Problem::new(
        Exit::Input,
        "explaining",
        format!("`{what}`"),
        happened,
        "`plinth explain findings` lists finding codes; `exit-codes` and `faults` are tables; step ids look like nodes/account/dgx-05",
    )
}
