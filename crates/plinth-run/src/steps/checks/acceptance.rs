//! Acceptance checks as steps.

use crate::behaviour::{Probe, Probed, StepEnv};
use crate::steps::outcome::{blocked, done, only_looks, unseen};
use crate::steps::{Explanation, StepKind};
use plinth_model::finding::code;
use plinth_model::steps::{AcceptanceCheck, Check};
use plinth_model::verdict::{EVIDENCE, SKIPPED};
use plinth_model::{Finding, Step, Verdict};
use plinth_world::ClientError;

impl StepKind for AcceptanceCheck {
    const EXPLANATION: Explanation = Explanation {
        kind: AcceptanceCheck::KIND,
        title: "An acceptance check holds.",
        probe: "Carries the check out: a pod, a name, a request, a volume claim, or a question to Run:ai. Test objects are removed again.",
        act: Explanation::ONLY_PROVES,
    };

    /// Carries the check out. What could not be found out is an error, not a failed check.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { check } = self;
        match plinth_check::accept(&env.ctx, &env.clients, check).await? {
            Verdict::Pass { evidence } => done(evidence.join(EVIDENCE)),
            Verdict::Fail { finding } => blocked(*finding),
            Verdict::Skip { reason } => Ok(skipped(check, &reason)),
            Verdict::Unknown { reason } => Err(unseen("check", format!("checking {}", check.name()), &reason)),
        }
    }

    async fn act(&self, step: &Step, _: &StepEnv) -> Result<String, ClientError> {
        Err(only_looks(step))
    }
}

/// Nothing is wrong, and nothing was proved: people are told so.
fn skipped(check: &Check, reason: &str) -> Probed {
    let note = Finding::warning(code::CHECKS_SKIPPED, plinth_check::claim::subject(check), reason.to_owned())
        .fix("run `plinth check` again when that has passed");
    Probed::from(Probe::Done(format!("{SKIPPED}{reason}"))).noting([note])
}
