//! Evidence of acceptance checks, as files for people and for other programs.

use crate::args::Common;
use crate::kept::Kept;
use crate::printer::Printer;
use plinth_app::Failure;
use plinth_app::own_files::OwnFiles;
use plinth_model::Problem;
use plinth_report::evidence::Evidence;
use plinth_run::journal::JournalReader;
use plinth_run::steps::is_verdict;
use plinth_world::files;
use std::path::Path;

/// What is written there.
const FILES: [&str; 3] = ["checks.json", "junit.xml", "index.html"];

/// Where evidence is written.
pub(crate) struct EvidenceFolder<'a>(&'a Path);

impl<'a> EvidenceFolder<'a> {
    /// Makes it, and tries whether it can be written into, before anything is checked.
    pub(crate) fn make(path: &'a Path) -> Result<Self, Problem> {
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
    pub(crate) fn keep(&self, common: &Common, printer: &Printer) -> Result<(), Problem> {
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
