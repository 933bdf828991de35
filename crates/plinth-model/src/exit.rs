//! Exit codes: one table, relied on by scripts. Codes are only ever added.

/// How a plinth process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: your input is wrong (site file, arguments, a missing variable, a saved plan that no longer fits).
    Input,
    /// 2: changes are pending (`plan --detailed-exitcode`), or a person answered no.
    Pending,
    /// 3: a check failed.
    CheckFailed,
    /// 4: partly applied, or stopped by a signal; run the same command again to continue.
    Partly,
    /// 5: somebody else holds the site's lock, or manages its nodes from another state directory.
    Locked,
    /// 6: an external system cannot be reached, or does not answer as it should.
    Unreachable,
    /// 70: our bug.
    Bug,
}

impl Exit {
    /// Every code with its meaning, for `plinth explain exit-codes` and the reference page.
    pub const TABLE: [(Exit, &'static str); 8] = [
        (Exit::Done, "done, or nothing to do"),
        (Exit::Input, "your input is wrong: arguments, site file, a missing secret, a saved plan that no longer fits"),
        (Exit::Pending, "changes are pending: `plan --detailed-exitcode`, or you answered no"),
        (Exit::CheckFailed, "a check failed"),
        (Exit::Partly, "partly applied or stopped, run again to continue"),
        (Exit::Locked, "somebody else holds the lock, or manages the nodes from another state directory"),
        (Exit::Unreachable, "an external system cannot be reached, or does not answer as it should"),
        (Exit::Bug, "our bug"),
    ];

    /// The number the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Input => 1,
            Exit::Pending => 2,
            Exit::CheckFailed => 3,
            Exit::Partly => 4,
            Exit::Locked => 5,
            Exit::Unreachable => 6,
            Exit::Bug => 70,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
