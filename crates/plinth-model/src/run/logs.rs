//! Logs of a site: what `plinth logs` lists.

use crate::StepId;
use jiff::Timestamp;
use serde::Serialize;

/// Schema number of `logs --json`.
pub const SCHEMA: u32 = 1;

/// `plinth logs --json`: which logs there are, not what is in them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    /// [`SCHEMA`] of the plinth that answers.
    pub schema: u32,
    /// The site's state directory; all logs are below it.
    pub directory: String,
    /// Oldest first.
    pub logs: Vec<LogFile>,
}

/// One log, with what it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// Without its folder.
    pub name: String,
    /// With its folder, as this machine opens it.
    pub path: String,
    /// Whose words it holds.
    pub of: LogOf,
    /// Bytes.
    pub size: u64,
    /// When it was begun; of plinth's own log, when it was last written to.
    pub at: Option<Timestamp>,
    /// The run that it belongs to; null for plinth's own log, which is of all runs.
    pub run: Option<String>,
    /// The step that it belongs to.
    pub step: Option<StepId>,
    /// Nodes that failed there, if any did.
    pub failed: Vec<String>,
}

/// Whose words a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogOf {
    /// plinth's own log, of all runs.
    Plinth,
    /// A play of Ansible, or another program that a step started.
    Play,
    /// An operation that failed on a node.
    Node,
}

impl Logs {
    /// A log by what a person calls it: `last`, `run`, a step id, or its name. Of several, the newest.
    #[must_use]
    pub fn find(&self, what: &str) -> Option<&LogFile> {
        let newest = |fits: &dyn Fn(&LogFile) -> bool| self.logs.iter().rev().find(|log| fits(log));
        match what {
            "last" => newest(&|log| log.of == LogOf::Play).or_else(|| self.logs.last()),
            "run" => newest(&|log| log.of == LogOf::Plinth && log.name.ends_with(".log")),
            name => newest(&|log| log.name == name)
                .or_else(|| newest(&|log| log.step.as_ref().is_some_and(|step| step.as_str() == name))),
        }
    }
}
