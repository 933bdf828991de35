//! The few shapes in which every kind answers.

use crate::behaviour::Probe;
use plinth_model::{Finding, Step};
use plinth_world::ClientError;

/// It is so.
pub(super) fn done(line: impl Into<String>) -> Result<Probe, ClientError> {
    Ok(Probe::Done(line.into()))
}

/// It is not so; one difference.
pub(super) fn todo(line: impl Into<String>) -> Result<Probe, ClientError> {
    Ok(Probe::Todo(vec![line.into()]))
}

/// It is so when there are no differences.
pub(super) fn compared(differences: Vec<String>, done: impl FnOnce() -> String) -> Probe {
    if differences.is_empty() { Probe::Done(done()) } else { Probe::Todo(differences) }
}

/// Acting would be wrong.
pub(super) fn blocked(finding: Finding) -> Result<Probe, ClientError> {
    Ok(Probe::Blocked(Box::new(finding)))
}

/// It could not be seen. Unknown is not absent, so nobody may act on it.
pub(super) fn unseen(client: &'static str, doing: impl Into<String>, reason: &str) -> ClientError {
    ClientError::permanent(
        client,
        doing,
        format!("it could not be seen: {reason}"),
        "fix what stands in the way, then run again",
    )
}

/// A failure that a finding describes.
pub(super) fn refused(client: &'static str, doing: impl Into<String>, finding: Finding) -> ClientError {
    ClientError::permanent(client, doing, finding.message.clone(), finding.fix.clone()).finding(finding)
}

/// A step that only looks was told to act, or one that only acts elsewhere was sent here: a bug of ours.
pub(super) fn only_looks(step: &Step) -> ClientError {
    let happened = format!("kind `{}` has nothing to do here", step.work.kind());
    ClientError::permanent("run", format!("acting on {}", step.id), happened, "report this as a bug of plinth")
}

/// `1 mirror`, `2 mirrors`.
pub(super) fn amount(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
