//! What is recorded.

use jiff::Timestamp;
use plinth_model::event::Counts;
use plinth_model::{Digest, Finding, Outcome, SiteName, StepId};
use serde::{Deserialize, Serialize};

/// One record: what happened, in which run, when. The journal adds the sequence number and the hashes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Run id.
    pub run: String,
    /// When, by the run's clock. For people only: the sequence number gives the order.
    pub at: Timestamp,
    /// What.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Fact {
    /// A run began.
    RunStarted {
        /// Plan hash.
        plan: Digest,
        /// Site.
        site: SiteName,
        /// Steps in the plan.
        steps: usize,
        /// Who runs it: user, host, process.
        owner: String,
        /// Nothing real was touched.
        rehearsal: bool,
        /// Whose lock was taken over, and why that was right.
        took_over: Option<String>,
    },
    /// The effect of a step is about to begin. Durable before it does.
    StepIntent {
        /// Step.
        step: StepId,
        /// What the step is to do: [`plinth_model::Step::digest`].
        digest: Digest,
        /// Attempt in this run, from 1.
        attempt: u32,
    },
    /// A probe said that it is so.
    StepDone {
        /// Step.
        step: StepId,
        /// What the step is to do.
        digest: Digest,
        /// This run made it so; otherwise it was found so.
        changed: bool,
        /// One line for people.
        detail: String,
        /// Gate id and answer.
        answers: Vec<(String, String)>,
    },
    /// It failed.
    StepFailed {
        /// Step.
        step: StepId,
        /// What the step is to do.
        digest: Digest,
        /// Why.
        finding: Box<Finding>,
    },
    /// Its gate opened with another answer.
    StepSkipped {
        /// Step.
        step: StepId,
        /// What the step would have done.
        digest: Digest,
        /// Gate.
        gate: String,
        /// The answer given.
        answer: String,
    },
    /// A gate opened.
    GateOpened {
        /// Gate.
        gate: String,
        /// Answer.
        answer: String,
        /// Step that answered.
        step: StepId,
    },
    /// The run was stopped from outside, or could not go on. Steps may be in flight.
    RunStopped {
        /// Why.
        reason: String,
    },
    /// The run came to its end.
    RunFinished {
        /// How.
        outcome: Outcome,
        /// Exit code.
        exit: u8,
        /// Counts.
        counts: Counts,
    },
}

impl Fact {
    /// Its kind, as in the `kind` column.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Fact::RunStarted { .. } => "runStarted",
            Fact::StepIntent { .. } => "stepIntent",
            Fact::StepDone { .. } => "stepDone",
            Fact::StepFailed { .. } => "stepFailed",
            Fact::StepSkipped { .. } => "stepSkipped",
            Fact::GateOpened { .. } => "gateOpened",
            Fact::RunStopped { .. } => "runStopped",
            Fact::RunFinished { .. } => "runFinished",
        }
    }

    /// What it says to people, if it says something.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Fact::StepDone { detail, .. } => detail,
            Fact::StepFailed { finding, .. } => &finding.message,
            _ => "",
        }
    }

    /// The step it speaks of, if it moves one.
    #[must_use]
    pub const fn step(&self) -> Option<(&StepId, &Digest)> {
        match self {
            Fact::StepIntent { step, digest, .. }
            | Fact::StepDone { step, digest, .. }
            | Fact::StepFailed { step, digest, .. }
            | Fact::StepSkipped { step, digest, .. } => Some((step, digest)),
            Fact::RunStarted { .. } | Fact::GateOpened { .. } | Fact::RunStopped { .. } | Fact::RunFinished { .. } => {
                None
            }
        }
    }
}
