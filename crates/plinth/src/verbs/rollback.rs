//! `plinth rollback`.

use crate::approval::Question;
use crate::args::{Common, Rollback};
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running, verbs};
use plinth_app::{Access, Failure, Goal, Input};
use plinth_model::{Exit, Plan, Work};

/// Makes the release of a component what an earlier revision of it was.
pub(crate) async fn run(common: &Common, verb: &Rollback, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let first = "look at it with `--dry-run`, then give `--yes`";
    let text = |plan: &Plan| format!("Go back on site {}?", plan.site);
    let question = Question::new(common, printer, (text, verb.yes || verb.dry_run), first)?;
    let (recorded, screen) = (verb.from.inventory.as_deref(), Screen::new(printer));

    let mut operation = input::open(common, input, recorded, Access::Change, Goal::Site, &screen)?;
    let discovered = operation.discover().await?;
    operation.accept(discovered.findings.clone())?;
    let planned = operation.plan_rollback(&discovered, &verb.component, verb.to_revision).await?;
    if planned.plan.steps.is_empty() {
        printer.talk("it is as that revision was: nothing to do");
        return Ok(Exit::Done);
    }
    if verb.dry_run {
        verbs::plan::show_before(common, true, &planned.plan, printer);
        printer.talk(verbs::plan::DRY_RUN);
        return Ok(Exit::Done);
    }
    let goal = planned.plan.steps.iter().find_map(|step| match &step.work {
        Work::HelmRollback(work) => Some(work.to),
        _ => None,
    });
    let Some(approved) = operation.approve(planned, &question).await? else { return Ok(Exit::Pending) };
    let exit = running::run(&mut operation, approved, (common, verb.events.events.as_deref(), None), printer).await?;
    let component = &verb.component;
    if let Some(goal) = goal.filter(|_| exit != Exit::Done) {
        // By then another revision may be the newest before.
        printer.talk(&format!("To go on with it: `plinth rollback {component} --to-revision {goal}`"));
    }
    if exit == Exit::Done {
        printer.talk(&format!(
            "The next apply installs again what the site file says: to stay here, write the older version and values of {component} into it"
        ));
    }
    Ok(exit)
}
