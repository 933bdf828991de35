//! Errors for people: what we were doing, to what, what happened, what to try.

use crate::Exit;
use crate::text::visible;
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
    /// Begins a problem with what we were doing. It is our bug until one of the methods below says what happened: each
    /// names the kind of cause, and the exit code follows from that.
    ///
    /// ```
    /// # use plinth_model::{Exit, Problem};
    /// let problem = Problem::while_doing("saving the plan to")
    ///     .to("plan.json")
    ///     .wrong_input("no such folder")
    ///     .try_this("choose a folder that you can write to");
    /// assert_eq!(problem.exit, Exit::Input);
    /// ```
    #[must_use]
    pub fn while_doing(doing: impl Into<String>) -> Self {
        Self {
            doing: doing.into(),
            to: String::new(),
            happened: String::new(),
            attempt: String::new(),
            exit: Exit::Bug,
        }
    }

    /// To what: a path, a node, an address. Left out when `doing` already says it.
    #[must_use]
    pub fn to(mut self, to: impl fmt::Display) -> Self {
        self.to = to.to_string();
        self
    }

    /// What a person gave is wrong: the site file, an argument, a variable, a saved plan, a folder.
    #[must_use]
    pub fn wrong_input(self, happened: impl fmt::Display) -> Self {
        self.because(Exit::Input, happened)
    }

    /// What was looked at is not as it must be: nodes that are not fit, say. Exit code 3.
    #[must_use]
    pub fn check_failed(self, happened: impl fmt::Display) -> Self {
        self.because(Exit::CheckFailed, happened)
    }

    /// Something was done, and not all of it; the same command continues.
    #[must_use]
    pub fn partly(self, happened: impl fmt::Display) -> Self {
        self.because(Exit::Partly, happened)
    }

    /// Somebody else holds the site's lock.
    #[must_use]
    pub fn locked(self, happened: impl fmt::Display) -> Self {
        self.because(Exit::Locked, happened)
    }

    /// A foreign system does not answer, or this release cannot talk to it yet.
    #[must_use]
    pub fn unreachable(self, happened: impl fmt::Display) -> Self {
        self.because(Exit::Unreachable, happened)
    }

    /// Our own mistake. What to try is to report it, unless [`Problem::try_this`] says more.
    #[must_use]
    pub fn bug(self, happened: impl fmt::Display) -> Self {
        self.because(Exit::Bug, happened).try_this("report this; it is our bug")
    }

    /// What happened, for a cause that is known only while running.
    #[must_use]
    pub fn because(mut self, cause: Exit, happened: impl fmt::Display) -> Self {
        self.exit = cause;
        self.happened = happened.to_string();
        self
    }

    /// What to try, in the imperative.
    #[must_use]
    pub fn try_this(mut self, attempt: impl Into<String>) -> Self {
        self.attempt = attempt.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.to.is_empty() { "" } else { " " };
        let (doing, to, happened) = (visible(&self.doing), visible(&self.to), visible(&self.happened));
        write!(f, "{doing}{separator}{to}: {happened}")?;
        if !self.attempt.is_empty() {
            write!(f, "\n  try: {}", visible(&self.attempt))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
