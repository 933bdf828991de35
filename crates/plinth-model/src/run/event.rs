//! Events: what happened in a run, one numbered message each, for people, machines and the journal.
//!
//! The machine form is NDJSON (`--events FILE`): one object a line, `event` names the kind, every record has `seq` and `at`.
//! Fields are only ever added. How events fold into a view of the run, and what a reader may miss, says [`super::RunView`].

use super::held::{CommandFailure, HeldBy, Who};
use super::step_state::{StepState, ended};
use crate::gate::{GateAnswer, GateId};
use crate::{Digest, Finding, InstalledChange, NodeName, SiteName, Stage, StepId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Schema number of the event stream.
pub const SCHEMA: u32 = 1;

/// Something that happened in a run, with its place among the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Position in the run, from 1.
    pub seq: u64,
    /// `seq` of the event in front of this one that a reader must have: numbers between the two are progress, which may be
    /// lost. Streams written before this field existed lack it, and then every number must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// When, RFC 3339 in UTC; virtual time in a rehearsal. For people: `seq` gives the order.
    #[schemars(with = "String")]
    pub at: jiff::Timestamp,
    /// The kind of event (`event`), and what belongs to it.
    #[serde(flatten)]
    pub body: EventBody,
}

impl Event {
    /// `seq` of the event that must have been read before this one.
    #[must_use]
    pub fn follows(&self) -> u64 {
        self.after.unwrap_or_else(|| self.seq.saturating_sub(1))
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every step is done.
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
    /// Steps changed into the desired state.
    pub changed: usize,
    /// Steps found in the desired state.
    pub unchanged: usize,
    /// Steps skipped by their gate.
    pub skipped: usize,
    /// Steps failed.
    pub failed: usize,
    /// Steps not run.
    pub not_run: usize,
    /// Findings of that severity: of the plan, of what was checked before it, and of the run.
    pub warnings: usize,
    /// Nodes the plan touches.
    pub hosts: usize,
    /// Nodes with a failed step.
    pub hosts_failed: usize,
}

/// The head of a run: its first event, and the first thing that every view of it shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunHead {
    /// Number of the form of the stream: 1. It stays while fields are only added.
    pub schema: u32,
    /// Run id.
    pub run: String,
    /// Plan hash.
    pub plan: Digest,
    /// The site whose lock the run holds.
    pub site: SiteName,
    /// Steps in the plan.
    pub steps: usize,
    /// Steps in the plan by stage.
    #[serde(default)]
    pub stages: BTreeMap<Stage, usize>,
    /// Nodes the plan touches.
    pub hosts: usize,
    /// Whether this is a rehearsal, so that time is virtual.
    pub rehearsal: bool,
    /// Whether an earlier run of the same plan is continued.
    pub continues: bool,
    /// Id of the run that is continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues_run: Option<String>,
    /// Who runs it: user, host and process.
    #[serde(default)]
    pub owner: String,
    /// From whom the site's lock was taken over, and why that was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_over: Option<String>,
    /// Steps that may run at once.
    #[serde(default)]
    pub parallel: usize,
    /// Warnings of the plan and of what was checked before it, which no event repeats.
    #[serde(default)]
    pub warnings: usize,
    /// Nodes of the site that the plan leaves out; a run without `--without` takes them in again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<NodeName>,
    /// The verb that runs it: `apply`, `rehearse`; empty in runs of before this field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verb: String,
    /// Who runs it, in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
    /// The trace that this run is a part of, as W3C Trace Context writes it (`TRACEPARENT` of the caller).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The command, of a run that does one small thing and says nothing about how far the site is: `rollback gpu-operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub small: Option<String>,
}

impl RunHead {
    /// Who runs it; of older runs as far as `owner` tells.
    #[must_use]
    pub fn who(&self) -> Option<Who> {
        self.who.clone().or_else(|| Who::parse(&self.owner))
    }

    /// Whether the plan only proves that the site works (`plinth check`): such a run says nothing about how far the site is.
    #[must_use]
    pub fn is_check(&self) -> bool {
        !self.stages.is_empty() && self.stages.keys().all(|stage| *stage == Stage::Acceptance)
    }

    /// Whether the run says how far the site is: it is neither checks alone nor one small thing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.small.is_none() && !self.is_check()
    }

    /// A head that says no more than this; what else is known is filled in.
    #[must_use]
    pub fn new(run: impl Into<String>, plan: Digest, site: SiteName) -> Self {
        Self {
            schema: SCHEMA,
            run: run.into(),
            plan,
            site,
            steps: 0,
            stages: BTreeMap::new(),
            hosts: 0,
            rehearsal: false,
            continues: false,
            continues_run: None,
            owner: String::new(),
            took_over: None,
            parallel: 0,
            warnings: 0,
            without: Vec::new(),
            verb: String::new(),
            who: None,
            traceparent: None,
            small: None,
        }
    }
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all_fields = "camelCase")]
pub enum EventBody {
    /// First event.
    #[serde(rename = "run.started")]
    RunStarted(RunHead),
    /// A step is being looked at.
    #[serde(rename = "step.started")]
    StepStarted {
        /// Which one, as `area/verb/target`.
        step: StepId,
        /// Where it belongs in an apply; also the key of `stages` in the head.
        stage: Stage,
        /// Node, if it touches one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// Why it is in the plan. Many steps share it.
        reason: Arc<str>,
        /// When everything it needs was done, so that it could have begun; the time until this event it waited for its lane or a slot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        ready_at: Option<jiff::Timestamp>,
        /// What held it last; none when nothing did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_by: Option<Box<HeldBy>>,
        /// The step that it needs and that ended last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_need: Option<StepId>,
    },
    /// It is not in the desired state: its effect begins now. The intent is durable before this event is told.
    #[serde(rename = "step.acting")]
    StepActing {
        /// Id, as in `step.started`.
        step: StepId,
        /// Differences seen.
        diff: Vec<String>,
        /// Attempt in this run, from 1.
        attempt: u32,
        /// The step has no effect: it waits for what it looks at.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reads_only: bool,
        /// What it is about to bring into the cluster.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        installed: Option<Box<InstalledChange>>,
    },
    /// Something moves inside a step. May be dropped.
    #[serde(rename = "step.progress")]
    StepProgress {
        /// Id, as in `step.started`.
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
        /// Id, as in `step.started`.
        step: StepId,
        /// Attempt that failed, from 1.
        attempt: u32,
        /// What happened.
        message: String,
        /// Seconds until the next attempt.
        wait_s: f64,
        /// When the next attempt begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        next_at: Option<jiff::Timestamp>,
    },
    /// A step ended.
    #[serde(rename = "step.finished")]
    StepFinished {
        /// Id. Steps that never began have this event too.
        step: StepId,
        /// Where it belongs in an apply.
        stage: Stage,
        /// Node, if it touches one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// How the step ended.
        #[serde(deserialize_with = "ended")]
        #[schemars(extend("enum" = ["changed", "unchanged", "skipped", "failed", "not-run"]))]
        outcome: StepState,
        /// Seconds since it started.
        seconds: f64,
        /// One line for people: what was found or done.
        detail: String,
        /// What is wrong, when it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finding: Option<Box<Finding>>,
        /// Digest of what the step was to do, when it is done: the next run compares it with what it is to do then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
        /// Digest of what may be made only once, when the step is done and makes such a thing: no later run makes the same a second time,
        /// whatever else about the step has changed by then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        once: Option<Digest>,
        /// What it brought into the cluster or took away, when it is done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        installed: Option<Box<InstalledChange>>,
        /// Attempts in this run: to change it, or, when it came to no change, to look at it.
        #[serde(default, skip_serializing_if = "is_zero")]
        attempts: u32,
        /// The program on which it failed, where it failed on one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Box<CommandFailure>>,
        /// Why it does not run, when it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_by: Option<Box<HeldBy>>,
        /// What its node told of itself, names and values for people, where the step asked: `kernel`, `driver`, `GPUs`, `addresses`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        facts: Option<Box<BTreeMap<String, String>>>,
    },
    /// The run lives. Told about every [`HEARTBEAT_S`] seconds. May be dropped.
    #[serde(rename = "run.heartbeat")]
    RunHeartbeat {
        /// Steps that run.
        running: usize,
        /// Steps that could run and wait for their lane or a slot.
        ready: usize,
        /// Steps that may run at once.
        slots: usize,
        /// Of the steps that are ready, the one that has been for longest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        oldest_wait: Option<OldestWait>,
    },
    /// An unknown of the plan is known. Steps behind the gate with this answer run, the others are skipped.
    #[serde(rename = "gate.opened")]
    GateOpened {
        /// Id, as in the plan: `storage/dgx-05`.
        gate: GateId,
        /// One of those that the plan lists for the gate: `relocate`.
        answer: GateAnswer,
        /// Step that answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<StepId>,
    },
    /// Something doubtful was seen.
    #[serde(rename = "finding")]
    Finding {
        /// What is doubtful, who can fix it, and how.
        finding: Box<Finding>,
        /// The step that noted it, although it is in the desired state.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
    },
    /// The run begins to stop: what is in flight is finished.
    #[serde(rename = "run.stopping")]
    RunStopping {
        /// Who or what asked for it, in words.
        reason: String,
    },
    /// Last event.
    #[serde(rename = "run.finished")]
    RunFinished {
        /// How the run ended.
        outcome: Outcome,
        /// Exit code of the process.
        exit: u8,
        /// How many steps ended in which way, and on how many nodes.
        counts: Counts,
        /// Seconds since the run started.
        seconds: f64,
        /// What to do next, one line each.
        next: Vec<String>,
        /// Digest of the events before this one ([`super::StreamSeal`]): a stream with another one lacks some.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
    },
}

/// Seconds between two heartbeats.
pub const HEARTBEAT_S: u64 = 10;

/// The step that is ready and has waited longest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OldestWait {
    /// Which one, as `area/verb/target`.
    pub step: StepId,
    /// Since when it is ready.
    #[schemars(with = "String")]
    pub since: jiff::Timestamp,
}

const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl EventBody {
    /// Whether a later run decides by it: these are on the disk before anything that they announce begins, and `crash@record`
    /// counts them.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        match self {
            Self::RunStarted(_) | Self::GateOpened { .. } | Self::RunFinished { .. } => true,
            Self::StepActing { reads_only, .. } => !*reads_only,
            Self::StepFinished { outcome, .. } => !matches!(outcome, StepState::NotRun),
            Self::StepStarted { .. }
            | Self::StepProgress { .. }
            | Self::StepRetrying { .. }
            | Self::Finding { .. }
            | Self::RunHeartbeat { .. }
            | Self::RunStopping { .. } => false,
        }
    }

    /// Whether a reader may miss it, and a slow one may be spared it. All others are stored.
    #[must_use]
    pub const fn may_be_missed(&self) -> bool {
        matches!(self, Self::StepProgress { .. } | Self::RunHeartbeat { .. })
    }

    /// Its kind, as in `event`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run.started",
            Self::StepStarted { .. } => "step.started",
            Self::StepActing { .. } => "step.acting",
            Self::StepProgress { .. } => "step.progress",
            Self::StepRetrying { .. } => "step.retrying",
            Self::StepFinished { .. } => "step.finished",
            Self::GateOpened { .. } => "gate.opened",
            Self::Finding { .. } => "finding",
            Self::RunHeartbeat { .. } => "run.heartbeat",
            Self::RunStopping { .. } => "run.stopping",
            Self::RunFinished { .. } => "run.finished",
        }
    }

    /// The step it is about, if it is about one.
    #[must_use]
    pub const fn step(&self) -> Option<&StepId> {
        match self {
            Self::StepStarted { step, .. }
            | Self::StepActing { step, .. }
            | Self::StepProgress { step, .. }
            | Self::StepRetrying { step, .. }
            | Self::StepFinished { step, .. } => Some(step),
            Self::Finding { step, .. } | Self::GateOpened { by: step, .. } => step.as_ref(),
            Self::RunStarted(_) | Self::RunHeartbeat { .. } | Self::RunStopping { .. } | Self::RunFinished { .. } => {
                None
            }
        }
    }
}
