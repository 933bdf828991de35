//! What the journal tells, read without its lock.

use plinth_model::{Exit, Plan, Problem, SiteName, Step, StepId};
use plinth_plan::Seen;
use plinth_run::Journal;
use plinth_run::journal::{History, Standing, StepHistory};
use std::collections::BTreeMap;
use std::path::Path;

/// Refuses the journal of another site: two sites in one state directory would mix.
///
/// # Errors
/// When the last run of this journal was another site's.
pub fn same_site(directory: &Path, site: &SiteName, history: &History) -> Result<(), Problem> {
    match &history.run {
        Some(run) if run.site != *site => Err(Problem::new(
            Exit::Input,
            "opening the state directory",
            directory.display().to_string(),
            format!("it belongs to site `{}`, and this is site `{site}`; nothing was changed", run.site),
            "give another folder with `--state DIR`",
        )),
        _ => Ok(()),
    }
}

/// Steps whose last record says that they are in the desired state, for a plan that looks at nothing else. One that was once, but
/// failed or had other parameters since, is not among them.
///
/// # Errors
/// When there is a journal and it cannot be read.
pub fn done_before(directory: &Path, plan: &Plan) -> Result<BTreeMap<StepId, Seen>, Problem> {
    let Some(reader) = Journal::open_read_only(directory)? else { return Ok(BTreeMap::new()) };
    let history = reader.history();
    let is_done = |known: &StepHistory, step: &Step| {
        matches!(known.standing, Standing::Done { .. }) && known.digest == step.digest()
    };
    let done = plan.steps.iter().filter(|step| history.steps.get(&step.id).is_some_and(|known| is_done(known, step)));
    Ok(done.map(|step| (step.id.clone(), Seen::Done)).collect())
}
