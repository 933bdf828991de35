//! A run that is refused before it begins has no journal: what refused it is kept beside it, and told in the log.

use super::Operation;
use crate::failure::Failure;
use crate::state::refused;
use plinth_model::run::Refusal;
use plinth_model::{Finding, amount};
use plinth_world::{Clock, SystemClock};

impl Operation<'_> {
    /// Keeps why no run begins, for whoever asks later. `wrong`: what was told before of the nodes it is refused for.
    pub(super) fn keep_refusal(&self, failure: &Failure, wrong: Vec<Finding>) {
        // Without the lock nothing was to be run; before a rehearsal knows its secrets, nothing may be written.
        let (Some(_), Some(secrets)) = (&self.lock, self.secrets()) else { return };
        let (happened, fix, findings) = match failure {
            Failure::Problem(problem) => (problem.happened.clone(), problem.attempt.clone(), wrong),
            Failure::Rejected(rejected) => {
                let errors: Vec<Finding> = rejected.findings.iter().filter(|one| one.is_error()).cloned().collect();
                (amount(errors.len(), "error"), "fix that, then run again".to_owned(), errors)
            }
        };
        tracing::warn!("no run began: {happened}");
        let at = SystemClock::new().now();
        refused::keep(&self.directory, Refusal { at, happened, fix, findings }, |text| secrets.redact(text));
    }
}
