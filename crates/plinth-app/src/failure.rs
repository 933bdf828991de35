//! Why an operation ended before its time.

use plinth_model::{Finding, Problem};
use plinth_site::Rejected;
use plinth_world::ClientError;

/// Why an operation ended before its time.
#[derive(Debug)]
pub enum Failure {
    /// The site file cannot be worked with. All that was found is in here, with the text that it is about; nothing was changed.
    Rejected(Box<Rejected>),
    /// Everything else that ends a command; the exit code follows from it.
    Problem(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

impl Failure {
    /// The findings that were the reason; none when it was something else.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Rejected(rejected) => &rejected.findings,
            Self::Problem(_) => &[],
        }
    }
}

/// A failed call of a client, for people. How the process ends follows from the cause.
#[must_use]
pub fn client_problem(error: &ClientError) -> Problem {
    Problem::while_doing(error.doing.clone())
        .because(error.cause.exit(), &error.happened)
        .try_this(error.attempt.clone())
}

/// A defect of plinth.
pub(crate) fn bug(doing: &str, happened: &str) -> Problem {
    Problem::while_doing(doing).bug(happened)
}
