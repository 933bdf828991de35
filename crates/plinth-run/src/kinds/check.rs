//! Acceptance checks as steps.

use super::outcome::{blocked, done, unseen};
use crate::behaviour::{Probe, StepEnv};
use plinth_model::Verdict;
use plinth_model::steps::Check;
use plinth_world::ClientError;

/// Carries the check out. What could not be found out is an error, not a failed check.
pub(super) async fn probe(env: &StepEnv, check: &Check) -> Result<Probe, ClientError> {
    match plinth_check::accept(&env.ctx, &env.clients, check).await? {
        Verdict::Pass { evidence } => done(evidence.join("; ")),
        Verdict::Fail { finding } => blocked(*finding),
        Verdict::Skip { reason } => done(format!("skipped: {reason}")),
        Verdict::Unknown { reason } => Err(unseen("check", format!("checking {}", check.name()), &reason)),
    }
}
