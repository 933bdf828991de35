//! What keeps a step from running, and what a program said that failed under it.

use crate::StepId;
use crate::gate::GateId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a step waited for last before it began, or why it does not run at all. Always one thing: the one whose end lets it begin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum HeldBy {
    /// A step that it needs.
    Need {
        /// The one that ended last, or that failed.
        step: StepId,
    },
    /// A gate that was not open yet.
    Gate {
        /// Which one, as in the plan: `storage/dgx-05`.
        gate: GateId,
        /// The step that opens it.
        step: StepId,
    },
    /// Its lane: another step on the same node, or of the same sort, was running.
    Lane {
        /// `node dgx-05`, `ansible`.
        lane: String,
    },
    /// Steps at once: as many were running as may.
    Slot {
        /// How many may.
        slots: usize,
    },
    /// The failure budget: too many nodes failed.
    Budget {
        /// How many failed.
        failed: usize,
        /// How many may.
        allowed: usize,
    },
    /// No majority of the control plane is left.
    Quorum {
        /// Members that are left.
        left: usize,
        /// Members in all.
        all: usize,
    },
    /// The run stops, so nothing new begins.
    Stop,
}

impl HeldBy {
    /// The word of the machine interface.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Need { .. } => "need",
            Self::Gate { .. } => "gate",
            Self::Lane { .. } => "lane",
            Self::Slot { .. } => "slot",
            Self::Budget { .. } => "budget",
            Self::Quorum { .. } => "quorum",
            Self::Stop => "stop",
        }
    }
}

/// How the program ended on which a step failed, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CommandFailure {
    /// The command line, without secrets.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Its exit status, if it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The last lines it said, [`CommandFailure::LINES`] at most, without secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
    /// The file with all that it said, on the machine that runs plinth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

impl CommandFailure {
    /// Most lines of a tail.
    pub const LINES: usize = 20;
    /// Most bytes of one line of it: a line of a megabyte is told by its beginning.
    pub const LINE: usize = 500;

    /// The command with its last lines.
    #[must_use]
    pub fn of(command: impl Into<String>, said: &[String]) -> Self {
        let tail = said.get(said.len().saturating_sub(Self::LINES)..).unwrap_or_default();
        Self { command: command.into(), tail: tail.iter().map(|line| shortened(line)).collect(), ..Self::default() }
    }

    /// The same with the command and its last lines.
    #[must_use]
    pub fn saying(self, command: &str, said: &[String]) -> Self {
        let Self { command, tail, .. } = Self::of(command, said);
        Self { command, tail, ..self }
    }

    /// `ended with 1`, `was ended by signal 9`; none where it is not known.
    #[must_use]
    pub fn ending(&self) -> Option<String> {
        match (self.exit, self.signal) {
            (_, Some(signal)) => Some(format!("was ended by signal {signal}")),
            (Some(exit), None) => Some(format!("ended with {exit}")),
            (None, None) => None,
        }
    }

    /// The same with every text changed by this: secrets are taken out so.
    #[must_use]
    pub fn map_text(self, change: impl Fn(&str) -> String) -> Self {
        Self {
            command: change(&self.command),
            tail: self.tail.iter().map(|line| change(line)).collect(),
            log: self.log.as_deref().map(change),
            ..self
        }
    }
}

fn shortened(line: &str) -> String {
    if line.len() <= CommandFailure::LINE {
        return line.to_owned();
    }
    let end = (0..=CommandFailure::LINE).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
    format!("{} …", line.get(..end).unwrap_or_default())
}

/// Who runs plinth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Who {
    /// Login name.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Process id on that host.
    pub process: u32,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} (process {})", self.user, self.host, self.process)
    }
}

impl Who {
    /// Reads what [`Who`] writes: the owner of a run of an older plinth is known by this text alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, rest) = text.split_once('@')?;
        let (host, process) = rest.rsplit_once(" (process ")?;
        let process = process.strip_suffix(')')?.parse().ok()?;
        Some(Self { user: user.to_owned(), host: host.to_owned(), process })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_short_whatever_was_said() {
        let said: Vec<String> = (0..100).map(|n| format!("{n} {}", "ü".repeat(1_000_000 / 100))).collect();
        let failure = CommandFailure::of("helm upgrade", &said);
        assert_eq!(failure.tail.len(), CommandFailure::LINES);
        assert!(failure.tail.iter().all(|line| line.len() <= CommandFailure::LINE + 5));
        assert!(failure.tail.first().is_some_and(|line| line.starts_with("80 ")));
    }

    #[test]
    fn an_owner_is_read_back() {
        let who = Who { user: "anna".into(), host: "bastion".into(), process: 4711 };
        assert_eq!(Who::parse(&who.to_string()), Some(who));
        assert_eq!(Who::parse("somebody"), None);
    }
}
