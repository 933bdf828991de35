//! `plinth explain`.

use crate::args::{Common, Explain};
use crate::explain::{self, Explanation, LastTimes, Went};
use crate::kept::Kept;
use crate::printer::Printer;
use plinth_app::world::{recorded_inventory, synthetic};
use plinth_app::{Failure, Goal, Input};
use plinth_model::inventory::Inventory;
use plinth_model::{Exit, Plan, Problem, StepId};
use plinth_plan::Observed;
use plinth_run::LockOwner;
use plinth_run::journal::{About, JournalReader, StoredPlan};
use plinth_site::Desired;
use plinth_world::{Clock, SystemClock};

/// Explains a word, or steps of the site's plan: of the one that ran last, unless an inventory is given.
pub(crate) fn run(common: &Common, verb: &Explain, printer: &Printer) -> Result<Exit, Failure> {
    let explained = match verb.what.as_deref() {
        None => explain::overview(),
        Some(what) => match explain::word(what) {
            Some(explained) => explained,
            None => steps(common, verb, what, printer)?,
        },
    };
    tell(common, verb.what.as_deref(), explained, printer);
    Ok(Exit::Done)
}

fn tell(common: &Common, what: Option<&str>, explained: Explanation, printer: &Printer) {
    if common.json {
        printer.json(&explain::machine(what, explained.data));
    } else {
        printer.text(&explained.text);
    }
}

fn steps(common: &Common, verb: &Explain, what: &str, printer: &Printer) -> Result<Explanation, Failure> {
    if !common.file.exists() && !what.contains('/') {
        return Err(unknown(what, explain::near(what, None)).into());
    }
    let kept = Kept::open_if_there(common)?;
    let meant = |reader: &JournalReader| reader.plan_with(|step| explain::is_meant(what, step));
    let ran = kept.journal.as_ref().map_or(Ok(StoredPlan::Absent), meant).map_err(Problem::from)?;
    let input = Input::load(&common.file)?;
    let plan = match (&verb.from.inventory, ran) {
        (Some(file), _) => made(&input, &input.site.desired, recorded_inventory(file)?)?,
        (None, StoredPlan::Read(plan)) => *plan,
        (None, absent) => {
            let why = match absent {
                StoredPlan::OfAnotherRelease => "the plan of the last run was made by another release",
                _ => "no run of this site yet",
            };
            printer.talk(&format!("{why}: explained with made-up nodes (`--inventory FILE` takes real ones)"));
            let made_up = synthetic(&input.site.desired, None)?;
            made(&input, &made_up.desired, made_up.inventory)?
        }
    };
    let last =
        kept.journal.as_ref().map_or_else(|| Ok(LastTimes::new()), |journal| last_times(journal, what, &plan))?;
    let explained = explain::steps(what, &plan, Went::ever(&last)).or_else(|| explain::gates(what, &plan));
    Ok(explained.ok_or_else(|| unknown(what, explain::near(what, Some(&plan))))?)
}

/// How each step that is meant went in the last run that had it.
fn last_times(journal: &JournalReader, what: &str, plan: &Plan) -> Result<LastTimes, Failure> {
    let meant: Vec<&StepId> =
        plan.steps.iter().filter(|step| explain::is_meant(what, step)).map(|step| &step.id).collect();
    let lock = journal.lock().map_err(Problem::from)?;
    let alive = lock.filter(|lock| lock.lapsed(SystemClock::new().now(), &LockOwner::current()).is_none());
    let held = alive.as_ref().map(|lock| lock.run.as_str());
    Ok(journal.last_times(&About::of(what), &meant, held).map_err(Problem::from)?)
}

fn made(input: &Input, desired: &Desired, inventory: Inventory) -> Result<Plan, Failure> {
    let plan = Goal::Site.plan(desired, &Observed::new(inventory), &input.catalog);
    plan.map_err(|findings| input.rejected(findings))
}

fn unknown(what: &str, near: Option<String>) -> Problem {
    let near = near.map(|near| format!("; the most similar one is `{near}`")).unwrap_or_default();
    Problem::while_doing("explaining")
        .to(format!("`{what}`"))
        .wrong_input(format!("unknown topic{near}"))
        .try_this("give a step (nodes/account/dgx-05), a group (nodes/account), a node, a kind or a finding code; `plinth explain` lists what there is")
}
