//! `plinth check`.

use super::removal::nodes;
use crate::args::{Check, Common};
use crate::kept::Kept;
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running};
use plinth_app::operation::Always;
use plinth_app::{Access, Depth, Failure, Goal, Input};
use plinth_model::{Exit, Problem};
use plinth_plan::Chosen;
use plinth_report::evidence::Evidence;
use plinth_run::journal::JournalReader;
use plinth_run::steps::is_verdict;
use plinth_world::files;
use std::path::Path;

/// Carries out the acceptance checks, and writes down what they saw.
pub(crate) async fn run(common: &Common, verb: &Check, printer: &Printer) -> Result<Exit, Failure> {
    let input = Input::load(&common.file)?;
    let goal = Goal::Checks(Chosen { only: verb.only.clone(), nodes: nodes(&verb.node)? });
    let screen = Screen::new(printer);
    let mut operation = input::open(common, input, verb.from.inventory.as_deref(), Access::Change, goal, &screen)?;
    let seen = operation.observe(Depth::Inventory).await?;
    let planned = operation.plan(seen)?;
    operation.need_cluster().await?;
    let Some(approved) = operation.approve(planned, &Always).await? else { return Ok(Exit::Pending) };
    let exit = running::run(&mut operation, approved, (common, verb.events.events.as_deref()), printer).await?;
    drop(operation);
    if let Some(folder) = &verb.out {
        keep(common, folder, printer)?;
    }
    Ok(exit)
}

/// Writes the evidence of the run that just ended.
fn keep(common: &Common, folder: &Path, printer: &Printer) -> Result<(), Failure> {
    let view = Kept::open(common)?.journal.map(JournalReader::into_view).unwrap_or_default();
    let evidence = Evidence::of(&view, env!("CARGO_PKG_VERSION"), is_verdict);
    let problem = |happened: String| {
        Problem::while_doing("writing the evidence into")
            .to(folder.display())
            .wrong_input(happened)
            .try_this("give another folder with `--out`; the checks themselves are done")
    };
    let json = evidence.json().map_err(|error| problem(error.to_string()))?;
    let junit = evidence.junit().map_err(problem)?;
    std::fs::create_dir_all(folder).map_err(|error| problem(error.to_string()))?;
    for (name, text) in [("checks.json", &json), ("junit.xml", &junit), ("index.html", &evidence.page())] {
        files::write_whole(&folder.join(name), text.as_bytes()).map_err(|error| problem(format!("{name}: {error}")))?;
    }
    printer.talk(&format!("{}; {}", evidence.summary(), folder.join("index.html").display()));
    Ok(())
}
