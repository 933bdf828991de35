//! What an acceptance check ends with.

use crate::claim::{self, Claim};
use plinth_model::steps::Check;
use plinth_model::{Finding, Verdict};

/// The claim holds.
pub(crate) fn pass(evidence: Vec<String>) -> Verdict {
    Verdict::Pass { evidence }
}

/// It does not.
pub(crate) fn fail(check: &Check, evidence: Vec<String>) -> Verdict {
    Verdict::Fail { finding: Box::new(finding(check, evidence)) }
}

pub(crate) fn finding(check: &Check, evidence: Vec<String>) -> Finding {
    let claim = Claim::of(check);
    let mut finding =
        Finding::error(claim.code, claim::subject(check), format!("This does not hold: {}", claim.sentence))
            .fix(claim.fix);
    finding.evidence = evidence;
    finding
}
