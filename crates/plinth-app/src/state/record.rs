//! What the journal tells, read without its lock.

use plinth_model::{Plan, Problem, SiteName, Step, StepId};
use plinth_plan::StepObservation;
use plinth_run::Journal;
use plinth_run::journal::Memory;
use std::collections::BTreeMap;
use std::path::Path;

/// Refuses the journal of another site: two sites in one state directory would mix. `known` is the site of its last run.
///
/// # Errors
/// When that is another one.
pub fn same_site(directory: &Path, site: &SiteName, known: Option<&SiteName>) -> Result<(), Problem> {
    match known {
        Some(known) if known != site => Err(Problem::while_doing("opening the state directory")
            .to(directory.display())
            .wrong_input(format!("it belongs to site `{known}`, and this is site `{site}`; nothing was changed"))
            .try_this("give another folder with `--state DIR`")),
        _ => Ok(()),
    }
}

/// What all runs left, read without the lock.
///
/// # Errors
/// When there is a journal and it cannot be read.
pub fn memory(directory: &Path) -> Result<Memory, Problem> {
    let Some(reader) = Journal::open_read_only(directory)? else { return Ok(Memory::default()) };
    Ok(reader.memory()?)
}

/// Steps whose last record says that they are in the desired state, for a plan that looks at nothing else. One that was once, but
/// failed or had other parameters since, is not among them.
///
/// # Errors
/// When there is a journal and it cannot be read, or is of the other kind of run.
pub fn done_before(
    directory: &Path,
    plan: &Plan,
    rehearsal: bool,
) -> Result<BTreeMap<StepId, StepObservation>, Problem> {
    let memory = memory(directory)?;
    super::journal_fits(directory, memory.run.as_ref().map(|run| &run.head), rehearsal)?;
    let is_done = |step: &Step| memory.steps.get(&step.id).is_some_and(|known| known.is_done_with(&step.digest()));
    Ok(plan.steps.iter().filter(|step| is_done(step)).map(|step| (step.id.clone(), StepObservation::Done)).collect())
}
