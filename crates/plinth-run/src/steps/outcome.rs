//! The few shapes in which every kind answers.

use crate::behaviour::{Probe, Probed};
use plinth_model::{Finding, Step, amount};
use plinth_world::ClientError;

/// Days that a certificate must still last; with fewer somebody has to renew it. An issuer may take weeks, and Kubespray and kubeadm
/// renew at an upgrade, which should happen more often than the year that they give.
pub(super) const ENOUGH_DAYS: i64 = 30;

/// `1 day`; what is over is 0.
pub(super) fn days(count: i64) -> String {
    amount(usize::try_from(count).unwrap_or(0), "day")
}

/// Already as the plan wants it.
pub(super) fn done(line: impl Into<String>) -> Result<Probed, ClientError> {
    Ok(Probe::Done(line.into()).into())
}

/// One difference.
pub(super) fn todo(line: impl Into<String>) -> Result<Probed, ClientError> {
    Ok(differs(vec![line.into()]))
}

/// Some differences; at least one.
pub(super) fn differs(differences: Vec<String>) -> Probed {
    Probe::Todo(differences).into()
}

/// As the plan wants it when there are no differences.
pub(super) fn compared(differences: Vec<String>, done: impl FnOnce() -> String) -> Probed {
    if differences.is_empty() { Probe::Done(done()).into() } else { differs(differences) }
}

/// Acting would be wrong.
pub(super) fn blocked(finding: Finding) -> Result<Probed, ClientError> {
    Ok(Probe::Blocked(Box::new(finding)).into())
}

/// It could not be seen. Unknown is not absent, so nobody may act on it.
pub(super) fn unseen(client: &'static str, doing: impl Into<String>, reason: &str) -> ClientError {
    ClientError::new(client, doing)
        .happened(format!("it could not be seen: {reason}"))
        .attempt("fix what stands in the way, then run again")
}

/// A failure that a finding describes.
pub(super) fn refused(client: &'static str, doing: impl Into<String>, finding: Finding) -> ClientError {
    ClientError::new(client, doing).happened(finding.message.clone()).attempt(finding.fix.clone()).finding(finding)
}

/// A step that only looks was told to act: a bug of ours.
pub(super) fn only_looks(step: &Step) -> ClientError {
    let happened = format!("kind `{}` has nothing to do here", step.work.kind());
    ClientError::new("run", format!("acting on {}", step.id))
        .happened(happened)
        .attempt("report this as a bug of plinth")
}

/// `2 labels and 1 taint`; what there is none of is not named.
pub(super) fn amounts(counted: [(usize, &str); 2]) -> String {
    let told: Vec<String> = counted.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| amount(*n, noun)).collect();
    if told.is_empty() { amount(0, counted[0].1) } else { told.join(" and ") }
}
