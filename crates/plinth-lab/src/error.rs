//! What goes wrong with a lab.

use std::path::Path;

/// Result of work on a lab.
pub type LabResult<T> = Result<T, LabError>;

/// Work on a lab failed. It never carries the lab's password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{doing}: {happened}. Try: {attempt}")]
pub struct LabError {
    /// What we were doing, to what.
    pub doing: String,
    /// What stood in the way, in words: a program's own, or the system's.
    pub happened: String,
    /// What to try.
    pub attempt: String,
}

impl LabError {
    /// The four parts of an error for people; what and to what are one sentence.
    pub fn new(doing: impl Into<String>, happened: impl Into<String>, attempt: impl Into<String>) -> Self {
        Self { doing: doing.into(), happened: happened.into(), attempt: attempt.into() }
    }

    /// For `map_err` behind a call that touches a path.
    pub(crate) fn at(doing: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let doing = format!("{doing} {}", path.display());
        move |error| Self::new(doing, error.to_string(), "look at the path's owner, mode and free space")
    }
}
