//! `plinth check`.

use crate::args::{Check, Common};
use crate::evidence::EvidenceFolder;
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running};
use plinth_app::operation::Always;
use plinth_app::{Access, Depth, Failure, Goal, Input};
use plinth_model::Exit;
use plinth_plan::Chosen;

/// Carries out the acceptance checks, and writes down what they saw.
pub(crate) async fn run(common: &Common, verb: &Check, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let goal = Goal::Checks(Chosen { only: verb.only.clone(), nodes: input::node_names(&verb.node)? });
    let screen = Screen::new(printer);
    let out = verb.out.as_deref().map(EvidenceFolder::make).transpose()?;
    let mut operation = input::open(common, input, verb.from.inventory.as_deref(), Access::Change, goal, &screen)?;
    let seen = operation.observe(Depth::Inventory).await?;
    let planned = operation.plan(seen)?;
    operation.need_cluster().await?;
    let Some(approved) = operation.approve(planned, &Always).await? else { return Ok(Exit::Pending) };
    let exit = running::run(&mut operation, approved, (common, verb.events.events.as_deref(), None), printer).await?;
    // Under the lock still, and it has run: the last run of the journal is this one.
    let kept = out.map_or(Ok(()), |folder| folder.keep(common, printer));
    match kept {
        Err(problem) if exit == Exit::Done => Err(problem.into()),
        // What the checks say counts for more than where it could not be written.
        Err(problem) => {
            printer.problem(&problem);
            Ok(exit)
        }
        Ok(()) => Ok(exit),
    }
}
