//! `plinth apply`.

use crate::approval::Question;
use crate::args::{Apply, Common};
use crate::page::PageBeside;
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running, verbs};
use plinth_app::saved::SavedPlan;
use plinth_app::{Access, Depth, Failure, Goal, Input};
use plinth_model::{Exit, Plan, amount};
use std::collections::BTreeSet;

/// Makes the site what its file describes. Run again it continues where it stopped, or finds nothing to do.
pub(crate) async fn run(common: &Common, verb: &Apply, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let saved = verb.plan.as_deref().map(SavedPlan::read).transpose()?;
    saved.iter().try_for_each(|saved| saved.fits_input(&input))?;
    let first = "give `--yes`, after a look with `--dry-run`";
    let question = Question::new(common, printer, (question, verb.yes || verb.dry_run), first)?.showing(verb.text.all);
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));

    let mut operation = input::open(common, input, recorded, Access::Change, Goal::Site, &screen)?;
    operation.leave_out(&input::left_out(&verb.without, saved.as_ref()));
    if verb.sources.skip_source_check {
        operation.skip_source_check();
    }
    if verb.take_over {
        operation.take_over();
    }
    let seen = operation.observe(Depth::Steps).await?;
    let planned = operation.plan(seen)?;
    saved.iter().try_for_each(|saved| saved.is_still(&planned))?;
    if verb.dry_run {
        verbs::plan::show_before(common, verb.text.all, &planned.plan, printer);
        printer.talk(verbs::plan::DRY_RUN);
        return Ok(Exit::Done);
    }
    let Some(approved) = operation.approve(planned, &question).await? else { return Ok(Exit::Pending) };
    let page = PageBeside::open(verb.page.serve, &operation, printer).await?;
    let (events, link) = (verb.events.events.as_deref(), PageBeside::link(page.as_ref()));
    let exit = running::run(&mut operation, approved, (common, events, link), printer).await?;
    // The lock is given back: who stays looks only.
    drop(operation);
    PageBeside::stay(page, printer).await;
    Ok(exit)
}

/// `Change site lab (27 nodes, 172 steps to do)?`
fn question(plan: &Plan) -> String {
    let nodes = plan.steps.iter().filter_map(|step| step.work.node()).collect::<BTreeSet<_>>().len();
    let steps = amount(plan.pending(), "step");
    format!("Change site {} ({}, {steps} to do)?", plan.site, amount(nodes, "node"))
}
