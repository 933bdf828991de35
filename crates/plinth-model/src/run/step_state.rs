//! Where a step stands in a run.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// Where a step stands in a run. The only enum for this: events, journal, views and pages use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Not begun.
    #[default]
    Pending,
    /// Being looked at, or waited for; nothing was changed.
    Looking,
    /// Its effect has begun.
    Acting,
    /// Changed into the desired state.
    Changed,
    /// Found in the desired state.
    Unchanged,
    /// Left out: its gate opened with another answer.
    Skipped,
    /// Failed; what needs it does not run.
    Failed,
    /// Something it needs failed, or the run stopped before it.
    NotRun,
    /// It was begun, and its end was not seen: the run was killed. The next run looks at it first.
    Unknown,
}

impl StepState {
    /// Whether the run is through with the step.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Changed | Self::Unchanged | Self::Skipped | Self::Failed | Self::NotRun)
    }

    /// Whether it ended well, so that what needs it may run.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Changed | Self::Unchanged | Self::Skipped)
    }

    /// Whether it occupies a place in the run now.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Looking | Self::Acting)
    }

    /// The word of the machine interface: `not-run`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Looking => "looking",
            Self::Acting => "acting",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::NotRun => "not-run",
            Self::Unknown => "unknown",
        }
    }

    /// The word for people, where the one for machines says too little: `waiting`, `not run`, `interrupted`.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Pending => "waiting",
            Self::NotRun => "not run",
            Self::Unknown => "interrupted",
            other => other.word(),
        }
    }
}

impl fmt::Display for StepState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Where a step was when its run broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Interrupted {
    /// Its effect had begun, and may go on without plinth: the next run looks at it before anything else.
    Effect,
    /// It was only looked at, or waited for: nothing is left of it.
    Look,
}

impl Interrupted {
    /// The same in words, wherever a person reads of it.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Effect => "interrupted in the middle of its effect; the next run looks at it first",
            Self::Look => "interrupted while it was only looked at; nothing is left of it",
        }
    }

    /// The same of a step that others need: `needs nodes/account/dgx-05, interrupted in the middle of its effect`.
    #[must_use]
    pub const fn of_root(self) -> &'static str {
        match self {
            Self::Effect => "interrupted in the middle of its effect",
            Self::Look => "interrupted while it was only looked at",
        }
    }
}

/// Reads the outcome of a step: a state that is no end is refused, since it would count as one.
pub(super) fn ended<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StepState, D::Error> {
    let state = StepState::deserialize(deserializer)?;
    if state.is_ended() { Ok(state) } else { Err(de::Error::custom(format!("`{state}` is no outcome of a step"))) }
}
