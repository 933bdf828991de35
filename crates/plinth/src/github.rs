//! GitHub Actions: whether plinth runs in a job of it, and the summary of the step.

use crate::recorded::Chosen;
use crate::shared_sink::{Shared, shared};
use plinth_analysis::{RunEntry, Traits};
use plinth_model::text::visible_lines;
use plinth_model::{Event, Plan, Problem, RunView};
use plinth_report::Sink;
use plinth_report::export::{Exported, Format, LARGEST_SUMMARY};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Whether this is a job of GitHub Actions.
pub(crate) fn is_there() -> bool {
    std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true")
}

/// The file with the summary of the step, in Markdown: written when the run is over.
pub(crate) struct StepSummary {
    file: PathBuf,
    plan: Plan,
    traits: Traits,
    events: Arc<Mutex<Vec<Event>>>,
}

/// Keeps events, without those that may be missed.
struct Kept(Arc<Mutex<Vec<Event>>>);

impl Sink for Kept {
    fn event(&mut self, event: &Event) {
        if !event.body.may_be_missed() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StepSummary {
    /// Where GitHub wants one.
    pub(crate) fn wanted(plan: &Plan, traits: &Traits) -> Option<Self> {
        let file = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| is_there() && !file.is_empty())?;
        Some(Self { file: file.into(), plan: plan.clone(), traits: traits.clone(), events: Arc::default() })
    }

    /// Takes the events.
    pub(crate) fn sink(&self) -> Shared {
        shared(Kept(Arc::clone(&self.events)))
    }

    /// Adds the summary to the file: other commands of the same step may have written there.
    ///
    /// # Errors
    /// When it cannot be written. The run is what it is.
    pub(crate) fn write(&self) -> Result<(), Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            Problem::while_doing("writing the summary of the step to")
                .to(self.file.display())
                .wrong_input(error)
                .try_this("the run itself went on; `plinth export --format markdown` writes the same text")
        };
        let events = std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(entry) = RunEntry::of(&RunView::of(&events), false) else { return Ok(()) };
        let chosen = Chosen::of(entry, events, Some(self.plan.clone()), &self.traits);
        let run = Exported {
            site: &self.plan.site,
            shown: chosen.shown(),
            columns: &chosen.analysis.columns,
            plinth: env!("PLINTH_VERSION"),
        };
        let text = run.write(Format::Markdown).map_err(|error| failed(&error))?;
        append(&self.file, &visible_lines(&text)).map_err(|error| failed(&error))
    }
}

/// GitHub refuses a file that is larger than it takes, so what was there before stays whole.
fn append(file: &Path, text: &str) -> io::Result<()> {
    let mut open = OpenOptions::new().append(true).create(true).open(file)?;
    let there = usize::try_from(open.metadata()?.len()).unwrap_or(usize::MAX);
    if there.saturating_add(text.len()) < LARGEST_SUMMARY {
        return open.write_all(text.as_bytes());
    }
    let short = "\nThe summary of a run of plinth has no room here: `plinth export --format markdown` writes it.\n";
    if there.saturating_add(short.len()) < LARGEST_SUMMARY { open.write_all(short.as_bytes()) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_never_makes_the_file_larger_than_github_takes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary.md");
        append(&file, "one\n").unwrap();
        append(&file, "two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\ntwo\n");
        append(&file, &"x".repeat(LARGEST_SUMMARY)).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.len() < 1000 && text.contains("plinth export"), "{text}");
        std::fs::write(&file, "x".repeat(LARGEST_SUMMARY - 10)).unwrap();
        append(&file, "three and more\n").unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().len(), LARGEST_SUMMARY as u64 - 10);
    }
}
