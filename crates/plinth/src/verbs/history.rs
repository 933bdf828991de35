//! `plinth history`.

use crate::again::command;
use crate::args::{Common, History as Arguments};
use crate::explain::{self, is_meant};
use crate::kept::Kept;
use crate::printer::{Printer, palette};
use plinth_app::{Failure, Input, state};
use plinth_model::nearest::nearest;
use plinth_model::run::{History, Refusal, history};
use plinth_model::{Exit, Problem};
use plinth_plan::may_mean;
use plinth_run::journal::{About, JournalReader, StoredPlan};

/// Says what happened to a node or a step: what, when, by whom, what was there before, and how to undo it. Reads the journal only.
pub(crate) fn run(common: &Common, verb: &Arguments, printer: &Printer) -> Result<Exit, Failure> {
    let kept = Kept::open(common)?;
    let about = verb.what.as_deref().map_or(About::Runs, About::of);
    let mut told = match &kept.journal {
        Some(journal) => journal.history(&about).map_err(Problem::from)?,
        None => History { schema: history::SCHEMA, about: verb.what.clone(), runs: Vec::new(), removed: 0 },
    };
    if let (true, Some(what)) = (told.runs.is_empty() && told.removed == 0, &verb.what) {
        known(common, what, kept.journal.as_ref())?;
    }
    if let Some(last) = verb.last {
        told.runs.drain(..told.runs.len().saturating_sub(last));
    }
    if common.json {
        printer.json(&told);
    } else {
        let palette = palette(printer.color_out());
        printer.text(&plinth_report::history::history(&kept.site, &told, verb.all, palette));
    }
    let refusal = state::refused(&kept.directory).filter(|_| told.runs.is_empty());
    let is_about = |refusal: &Refusal| refusal.findings.iter().any(|one| Some(&one.subject) == verb.what.as_ref());
    if let Some(Refusal { at, .. }) = refusal.filter(is_about) {
        printer.talk(&format!("a run was refused because of it at {at:.0}: `{}`", command(common, "status")));
    }
    Ok(Exit::Done)
}

/// A name that stands in no plan and that no run left out is none: nothing will ever be said of it. Before the first run the plan is the
/// site file's own, with made-up nodes where it names none.
fn known(common: &Common, what: &str, journal: Option<&JournalReader>) -> Result<(), Failure> {
    let stored =
        journal.map_or(Ok(StoredPlan::Absent), |journal| journal.plan_with(|_| true)).map_err(Problem::from)?;
    let (plan, whose) = match stored.read() {
        Some(plan) => (plan, "the newest plan"),
        None => {
            let input = Input::load(&common.file)?;
            let Some(plan) = explain::made_up(&input).filter(|_| !may_mean(&input.site.desired.nodes, what)) else {
                return Ok(());
            };
            (plan, "the site file")
        }
    };
    let left_out = plan.made_from.without.iter().any(|node| node.as_str() == what);
    if left_out || plan.steps.iter().any(|step| is_meant(what, step)) {
        return Ok(());
    }
    let steps = plan
        .steps
        .iter()
        .flat_map(|step| step.work.node().map(|node| node.as_str()).into_iter().chain([step.id.as_str()]));
    let near = nearest(what, steps);
    let problem = Problem::while_doing("looking for what happened to")
        .to(what)
        .wrong_input(format!("no run was about it, and {whose} has no node, step or group of steps of that name"));
    let problem = problem.try_this(match near {
        Some(near) => format!("did you mean `{near}`? `plinth history` lists the runs, `plinth plan` the steps"),
        None => "`plinth discover` lists the nodes, `plinth plan` the steps, `plinth history` the runs".to_owned(),
    });
    Err(problem.into())
}
