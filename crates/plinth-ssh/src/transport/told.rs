//! What is told of an operation that failed on a node: what was asked, how it ended, its last words, and a log with all that it said.

use super::answers::Heard;
use crate::script::Script;
use plinth_model::run::CommandFailure;
use plinth_model::steps::NodeTarget;
use plinth_world::program_log::{LOG_TIME, ProgramLog};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, Context, FailedOn};
use std::path::Path;

/// Name of this client in the log.
pub(super) const CLIENT: &str = "ssh";
/// Folder of the logs of operations that failed on nodes, below the state directory.
pub const LOGS: &str = "nodes/logs";
/// Logs that are kept: one of each node of a large site. Each holds at most twice [`super::answers::KEPT`].
const LOGS_KEPT: usize = 1_000;

/// What runs on the node: a shell that reads a script.
const SHELL: &str = "sh";
/// The same as root.
pub(super) const ROOT_SHELL: &str = "sudo sh";
/// Nothing runs there: the host only shows its key.
pub(super) const NOTHING: &str = "";

/// What runs a script.
pub(super) const fn shell(script: &Script) -> &'static str {
    if script.is_root() { ROOT_SHELL } else { SHELL }
}

/// What is asked of a node, for people.
pub(super) fn command(target: &NodeTarget, runs: &str, doing: &str) -> String {
    let runs = if target.user == "root" { runs.trim_start_matches("sudo ") } else { runs };
    target.command(runs, &format!("{doing} on {}", target.node))
}

/// The error with what was asked; one that says it already stays as it is.
pub(super) fn asked(error: ClientError, command: &str) -> ClientError {
    with(error, || CommandFailure::of(command, &[]))
}

/// The error with what failed, unless it has that already.
pub(super) fn with(error: ClientError, failure: impl FnOnce() -> CommandFailure) -> ClientError {
    let on = error.failed_on.as_deref().cloned().unwrap_or_default();
    if on.program.is_some() {
        return error;
    }
    error.failed_on(FailedOn { program: Some(failure()), ..on })
}

/// What an operation said, without secrets.
pub(super) struct Said {
    /// Its answers, and whatever else it printed.
    pub(super) out: String,
    /// Its standard error.
    pub(super) errors: String,
}

/// Who tells of failures, and where their logs are.
pub(super) struct Telling<'a> {
    pub(super) ctx: &'a Context,
    pub(super) target: &'a NodeTarget,
    pub(super) logs: &'a Path,
    pub(super) secrets: &'a dyn Secrets,
}

impl Telling<'_> {
    /// The failure of an operation that was heard so far.
    pub(super) fn of(&self, command: &str, heard: &Heard) -> CommandFailure {
        let (out, errors) = heard.said();
        let said = Said { out: self.secrets.redact(&out), errors: self.secrets.redact(&errors) };
        self.failure(command, heard.ended(), &said)
    }

    /// The failure of an operation that ended so and said this. What said nothing has no log.
    pub(super) fn failure(&self, command: &str, exit: Option<i32>, said: &Said) -> CommandFailure {
        let lines = [&said.out, &said.errors].into_iter().flat_map(|text| text.lines());
        let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        let log = if lines.is_empty() { None } else { self.log(command, exit, said) };
        CommandFailure { exit, log, ..CommandFailure::of(command, &lines) }
    }

    /// Writes all that was said.
    fn log(&self, command: &str, exit: Option<i32>, said: &Said) -> Option<String> {
        let name = format!("{}-{}.log", self.ctx.clock().now().strftime(LOG_TIME), self.target.node);
        let ending =
            exit.map_or_else(|| "it did not say how it ended".to_owned(), |exit| format!("it ended with {exit}"));
        let Said { out, errors } = said;
        let text = format!("{command}\n{ending}\n\nit said:\n{out}\n\non standard error:\n{errors}\n");
        ProgramLog::keep(self.logs, &name, LOGS_KEPT, &text, self.secrets)
    }
}
