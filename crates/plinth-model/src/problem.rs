//! Errors for people: what we were doing, to what, what happened, what to try.

use crate::Exit;
use std::fmt;

/// An error with its four parts. Every error that reaches a person is one of these; inner errors become `happened`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What we were doing: `reading the site file`.
    pub doing: String,
    /// To what: a path, a node, an address. Empty when `doing` already says it.
    pub to: String,
    /// What happened, in one sentence.
    pub happened: String,
    /// What to try.
    pub attempt: String,
    /// How the process should end.
    pub exit: Exit,
}

impl Problem {
    /// A problem with all four parts.
    pub fn new(
        exit: Exit,
        doing: impl Into<String>,
        to: impl Into<String>,
        happened: impl fmt::Display,
        attempt: impl Into<String>,
    ) -> Self {
        Self { doing: doing.into(), to: to.into(), happened: happened.to_string(), attempt: attempt.into(), exit }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.to.is_empty() { "" } else { " " };
        write!(f, "{}{separator}{}: {}", self.doing, self.to, self.happened)?;
        if !self.attempt.is_empty() {
            write!(f, "\n  try: {}", self.attempt)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
