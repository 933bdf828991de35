//! Events: one message each, for people and machines, about a run. Folding them in order gives the picture of the run.
//!
//! The machine form is NDJSON (`--events FILE`): one object a line, `event` names the kind, every record has `seq` and `at`.
//! Fields are only ever added. A reader that sees an event twice, or misses a progress event, ends with the same picture.

use crate::{Digest, Finding, SiteName, Stage, StepId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Schema number of the event stream.
pub const SCHEMA: u32 = 1;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Position in the stream, from 1.
    pub seq: u64,
    /// When, RFC 3339 in UTC; virtual time in a rehearsal.
    #[schemars(with = "String")]
    pub at: jiff::Timestamp,
    /// What.
    #[serde(flatten)]
    pub body: EventBody,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It was made so.
    Changed,
    /// It was already so.
    Unchanged,
    /// Its gate opened with another answer.
    Skipped,
    /// It failed; its dependents do not run.
    Failed,
    /// Something it needs failed, or the run stopped before it.
    NotRun,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything is as wanted.
    Done,
    /// Some steps failed or were not reached; run again to continue.
    Partly,
    /// It was stopped from outside.
    Stopped,
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Steps made so.
    pub changed: usize,
    /// Steps already so.
    pub unchanged: usize,
    /// Steps skipped by their gate.
    pub skipped: usize,
    /// Steps failed.
    pub failed: usize,
    /// Steps not run.
    pub not_run: usize,
    /// Warnings.
    pub warnings: usize,
    /// Nodes the plan touches.
    pub hosts: usize,
    /// Nodes with a failed step.
    pub hosts_failed: usize,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all_fields = "camelCase")]
pub enum EventBody {
    /// First event.
    #[serde(rename = "run.started")]
    RunStarted {
        /// [`SCHEMA`].
        schema: u32,
        /// Run id.
        run: String,
        /// Plan hash.
        plan: Digest,
        /// Site.
        site: SiteName,
        /// Steps in the plan.
        steps: usize,
        /// Nodes the plan touches.
        hosts: usize,
        /// Whether this is a rehearsal.
        rehearsal: bool,
        /// Whether an earlier run of the same plan is continued.
        continues: bool,
    },
    /// A step is being looked at.
    #[serde(rename = "step.started")]
    StepStarted {
        /// Step.
        step: StepId,
        /// Stage.
        stage: Stage,
        /// Node, if it touches one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// Why it is in the plan.
        reason: String,
    },
    /// It is not yet so: its effect begins now, and was journalled before this event.
    #[serde(rename = "step.acting")]
    StepActing {
        /// Step.
        step: StepId,
        /// Differences seen.
        diff: Vec<String>,
        /// Attempt, from 1.
        attempt: u32,
    },
    /// Something moves inside a step. May be dropped.
    #[serde(rename = "step.progress")]
    StepProgress {
        /// Step.
        step: StepId,
        /// Units done.
        done: u64,
        /// Units in all; 0 when unknown.
        total: u64,
        /// What is being done.
        message: String,
    },
    /// A transient failure; the step is tried again.
    #[serde(rename = "step.retrying")]
    StepRetrying {
        /// Step.
        step: StepId,
        /// Attempt that failed, from 1.
        attempt: u32,
        /// What happened.
        message: String,
        /// Seconds until the next attempt.
        wait_s: f64,
    },
    /// A step ended.
    #[serde(rename = "step.finished")]
    StepFinished {
        /// Step.
        step: StepId,
        /// Stage.
        stage: Stage,
        /// Node, if it touches one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// How.
        outcome: Ended,
        /// Seconds since it started.
        seconds: f64,
        /// One line for people: what was found or done.
        detail: String,
        /// What is wrong, when it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finding: Option<Box<Finding>>,
    },
    /// A gate opened.
    #[serde(rename = "gate.opened")]
    GateOpened {
        /// Gate.
        gate: String,
        /// Answer.
        answer: String,
    },
    /// Something doubtful was seen.
    #[serde(rename = "finding")]
    Finding {
        /// What.
        finding: Box<Finding>,
    },
    /// The run begins to stop: what is in flight is finished.
    #[serde(rename = "run.stopping")]
    RunStopping {
        /// Why.
        reason: String,
    },
    /// Last event.
    #[serde(rename = "run.finished")]
    RunFinished {
        /// How.
        outcome: Outcome,
        /// Exit code of the process.
        exit: u8,
        /// Counts.
        counts: Counts,
        /// Seconds since the run started.
        seconds: f64,
        /// What to do next, one line each.
        next: Vec<String>,
    },
}
