//! Acceptance checks as steps.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, done, only_looks, unseen};
use crate::steps::{Explanation, StepKind};
use plinth_check::CLAIMS;
use plinth_model::steps::AcceptanceCheck;
use plinth_model::{Finding, Step, Verdict};
use plinth_world::ClientError;

/// Whether a finding is what a check says, and not why it could not be carried out.
#[must_use]
pub fn is_verdict(finding: &Finding) -> bool {
    CLAIMS.iter().any(|claim| claim.code == finding.code)
}

impl StepKind for AcceptanceCheck {
    const EXPLANATION: Explanation = Explanation {
        kind: AcceptanceCheck::KIND,
        title: "An acceptance check holds.",
        probe: "Carries the check out: a pod, a name, a request, a volume claim, or a question to Run:ai. Test objects are removed again.",
        act: Explanation::ONLY_LOOKS,
    };

    /// Carries the check out. What could not be found out is an error, not a failed check.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { check } = self;
        match plinth_check::accept(&env.ctx, &env.clients, check).await? {
            Verdict::Pass { evidence } => done(evidence.join("; ")),
            Verdict::Fail { finding } => blocked(*finding),
            Verdict::Skip { reason } => done(format!("skipped: {reason}")),
            Verdict::Unknown { reason } => Err(unseen("check", format!("checking {}", check.name()), &reason)),
        }
    }

    async fn act(&self, step: &Step, _: &StepEnv) -> Result<String, ClientError> {
        Err(only_looks(step))
    }
}
