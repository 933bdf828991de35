//! `plinth check`.

use super::removal::nodes;
use crate::args::{Check, Common};
use crate::kept::Kept;
use crate::printer::Printer;
use crate::screen::Screen;
use crate::{input, running};
use plinth_app::operation::Always;
use plinth_app::own_files::OwnFiles;
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
    let out = verb.out.as_deref().map(Folder::make).transpose()?;
    let mut operation = input::open(common, input, verb.from.inventory.as_deref(), Access::Change, goal, &screen)?;
    let seen = operation.observe(Depth::Inventory).await?;
    let planned = operation.plan(seen)?;
    operation.need_cluster().await?;
    let Some(approved) = operation.approve(planned, &Always).await? else { return Ok(Exit::Pending) };
    let exit = running::run(&mut operation, approved, (common, verb.events.events.as_deref()), printer).await?;
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

/// What is written there.
const FILES: [&str; 3] = ["checks.json", "junit.xml", "index.html"];

/// Where evidence is written.
struct Folder<'a>(&'a Path);

impl<'a> Folder<'a> {
    /// Makes it, and tries whether it can be written into, before anything is checked.
    fn make(path: &'a Path) -> Result<Self, Problem> {
        let folder = Self(path);
        let tried = path.join(format!(".plinth-{}", std::process::id()));
        std::fs::create_dir_all(path)
            .and_then(|()| files::write_whole(&tried, b""))
            .and_then(|()| std::fs::remove_file(&tried))
            .map_err(|error| folder.problem(error))?;
        OwnFiles::of(path).may_write(FILES)?;
        Ok(folder)
    }

    /// Writes the evidence of the last run.
    fn keep(&self, common: &Common, printer: &Printer) -> Result<(), Problem> {
        let kept = Kept::open(common).map_err(|failure| match failure {
            Failure::Problem(problem) => problem,
            Failure::Rejected(_) => self.problem("the site file was changed meanwhile, so its run is not known"),
        })?;
        let view = kept.journal.map(JournalReader::into_view).unwrap_or_default();
        let evidence = Evidence::of(&view, env!("CARGO_PKG_VERSION"), |finding| is_verdict(finding.code));
        let json = evidence.json().map_err(|error| self.problem(error))?;
        let junit = evidence.junit().map_err(|error| self.problem(error))?;
        let texts = FILES.map(str::to_owned).into_iter().zip([json, junit, evidence.page()]);
        OwnFiles::of(self.0).write(&texts.collect::<Vec<_>>())?;
        printer.talk(&format!("{}; {}", evidence.summary(), self.0.join("index.html").display()));
        Ok(())
    }

    fn problem(&self, happened: impl ToString) -> Problem {
        Problem::while_doing("writing the evidence into")
            .to(self.0.display())
            .wrong_input(happened.to_string())
            .try_this("give another folder with `--out`")
    }
}
