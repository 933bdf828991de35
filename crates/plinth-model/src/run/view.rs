//! The view of a run: what all events so far amount to.

use super::order::Order;
use super::{CommandFailure, Counts, Event, Gap, HeldBy, Interrupted, Outcome, RunHead, StepState};
use crate::gate::{GateAnswer, GateId};
use crate::{Digest, Finding, Severity, Stage, StepId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is known of one run. Everything that shows a run draws it, and it can be sent to somebody else, who goes on folding.
///
/// The same events give the same view however they come: twice, without progress, or in another order as long as none
/// is more than [`super::WINDOW`] events too late. Events that never came are named in [`RunView::gaps`], not guessed.
///
/// Steps that nothing was said of are not in here: the plan has them, and [`RunView::pending`] counts them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RunView {
    /// The head; none before the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunHead>,
    /// When its first event happened; virtual time in a rehearsal.
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When the newest event happened.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Stages of the plan, and those seen.
    pub stages: BTreeMap<Stage, StageView>,
    /// Steps that something was said of.
    pub steps: BTreeMap<StepId, StepView>,
    /// Steps in flight.
    pub running: BTreeSet<StepId>,
    /// Steps that failed, in the order they failed.
    pub failed: Vec<StepId>,
    /// Nodes that a step was about, with their steps by state.
    pub nodes: BTreeMap<String, Tally>,
    /// Gates that opened, with their answers.
    pub gates: BTreeMap<GateId, GateAnswer>,
    /// What was doubtful; each once.
    pub findings: Vec<Finding>,
    /// Transient failures that were tried again.
    pub retries: usize,
    /// Why the run began to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopping: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<RunEnd>,
    /// `seq` of the newest event of any kind.
    pub(super) newest: u64,
    #[serde(flatten)]
    pub(super) order: Order,
}

/// How many steps are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Tally {
    /// [`StepState::Looking`].
    pub looking: usize,
    /// [`StepState::Acting`].
    pub acting: usize,
    /// [`StepState::Changed`].
    pub changed: usize,
    /// [`StepState::Unchanged`].
    pub unchanged: usize,
    /// [`StepState::Skipped`].
    pub skipped: usize,
    /// [`StepState::Failed`].
    pub failed: usize,
    /// [`StepState::NotRun`].
    pub not_run: usize,
    /// [`StepState::Unknown`].
    pub unknown: usize,
}

impl Tally {
    /// Steps that ended well.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.changed + self.unchanged + self.skipped
    }

    /// Steps that ended in any way.
    #[must_use]
    pub const fn ended(&self) -> usize {
        self.done() + self.failed + self.not_run
    }

    /// Steps in flight.
    #[must_use]
    pub const fn running(&self) -> usize {
        self.looking + self.acting
    }

    /// One step more in a state.
    pub fn add(&mut self, state: StepState) {
        if let Some(count) = self.of(state) {
            *count += 1;
        }
    }

    /// One step goes from one state to another.
    pub(super) fn shift(&mut self, from: StepState, to: StepState) {
        if let Some(count) = self.of(from) {
            *count = count.saturating_sub(1);
        }
        self.add(to);
    }

    fn of(&mut self, state: StepState) -> Option<&mut usize> {
        Some(match state {
            StepState::Pending => return None,
            StepState::Looking => &mut self.looking,
            StepState::Acting => &mut self.acting,
            StepState::Changed => &mut self.changed,
            StepState::Unchanged => &mut self.unchanged,
            StepState::Skipped => &mut self.skipped,
            StepState::Failed => &mut self.failed,
            StepState::NotRun => &mut self.not_run,
            StepState::Unknown => &mut self.unknown,
        })
    }
}

/// What is known of a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StageView {
    /// Steps in the plan; 0 when the run did not say.
    pub total: usize,
    /// Its steps by state.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What is known of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// Where it belongs in an apply; as its last event says.
    pub stage: Stage,
    /// Node, if it touches one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Where it stands.
    pub state: StepState,
    /// When it was looked at for the first time; none while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// Seconds it took, by the run's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Why it is in the plan. Many steps share it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub reason: Arc<str>,
    /// Attempt, from 1; 0 before the first.
    #[serde(default)]
    pub attempt: u32,
    /// Its effect has begun in this run. What only looks and waits has none, however often it is tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acted: bool,
    /// What the last attempt ran into, while the next one is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// Transient failures that were tried again.
    #[serde(default)]
    pub retries: u32,
    /// Differences seen before its last effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<String>,
    /// One line: what was found or done, or why it failed or did not run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What is wrong, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Box<Finding>>,
    /// Last progress of this attempt. The one part of a view that thinned streams may lack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Digest of what it was to do, when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// When everything it needs was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ready_at: Option<Timestamp>,
    /// What held it last before it began, or why it does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<HeldBy>,
    /// The step that it needs and that ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_need: Option<StepId>,
    /// When the next attempt begins, while it is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub next_at: Option<Timestamp>,
    /// When it ended; none before, and for steps of which that was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// Attempts in this run, once it ended.
    #[serde(default)]
    pub attempts: u32,
    /// The program on which it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Box<CommandFailure>>,
    /// What its node told of itself, where the step asked: names and values for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Box<BTreeMap<String, String>>>,
    /// `seq` of the last event about it.
    pub(super) seq: u64,
}

impl StepView {
    /// Where it was when its run broke off: its end was not seen, or a stop cut its effect off. None of a step that goes on, ended, or had
    /// not begun.
    #[must_use]
    pub const fn interrupted(&self) -> Option<Interrupted> {
        match (self.state, self.acted) {
            (StepState::Unknown | StepState::NotRun, true) => Some(Interrupted::Effect),
            (StepState::Unknown, false) => Some(Interrupted::Look),
            _ => None,
        }
    }
}

/// Something moved inside a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 when unknown.
    pub total: u64,
    /// What is being done.
    pub message: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunEnd {
    /// How the run ended.
    pub outcome: Outcome,
    /// Exit code of the process.
    pub exit: u8,
    /// As the last event of the run tells them, not counted anew.
    pub counts: Counts,
    /// Seconds since it started.
    pub seconds: f64,
    /// What to do next.
    pub next: Vec<String>,
}

/// What became of an event that was given to [`RunView::apply`].
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// It was read before, or its moment is over: nothing changed.
    Known,
    /// It waits for events in front of it.
    Held,
    /// It was taken in.
    Now,
    /// These were taken in, in this order: others had waited for it, or were given up waiting for.
    Several(Vec<Event>),
}

impl RunView {
    /// Events that never came.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.order.gaps
    }

    /// `seq` of the last event read that a reader must have: a stream that starts behind it misses nothing.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.order.seq
    }

    /// How the run stands. `held`: somebody holds the site's lock for it and shows signs of life.
    #[must_use]
    pub fn state(&self, held: bool) -> RunState {
        match (&self.end, &self.run) {
            (Some(RunEnd { outcome: Outcome::Done, .. }), _) => RunState::Done,
            (Some(RunEnd { outcome: Outcome::Partly, .. }), _) => RunState::Partly,
            (Some(RunEnd { outcome: Outcome::Stopped, .. }), _) => RunState::Stopped,
            (None, None) => RunState::None,
            (None, Some(_)) if held => RunState::Running,
            (None, Some(_)) => RunState::Interrupted,
        }
    }

    /// Seconds from the start of the run to the newest event; never negative, although a clock may go backwards.
    #[must_use]
    pub fn elapsed(&self) -> f64 {
        match (self.started, self.at) {
            (Some(started), Some(at)) => seconds_between(started, at),
            _ => 0.0,
        }
    }

    /// Seconds that a step has been in flight at the newest event.
    #[must_use]
    pub fn running_for(&self, step: &StepView) -> f64 {
        match (step.started, self.at) {
            (Some(started), Some(at)) => seconds_between(started, at),
            _ => 0.0,
        }
    }

    /// Steps in flight, longest first.
    #[must_use]
    pub fn longest_running(&self) -> Vec<(&StepId, &StepView)> {
        let mut steps: Vec<_> = self.running.iter().filter_map(|id| Some((id, self.steps.get(id)?))).collect();
        steps.sort_by_key(|(id, step)| (step.started, *id));
        steps
    }

    /// Steps that failed, in the order they failed.
    pub fn failures(&self) -> impl Iterator<Item = (&StepId, &StepView)> {
        self.failed.iter().filter_map(|id| Some((id, self.steps.get(id)?)))
    }

    /// Where a step stands.
    #[must_use]
    pub fn state_of(&self, step: &StepId) -> StepState {
        self.steps.get(step).map_or(StepState::Pending, |step| step.state)
    }

    /// All steps by state.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let sum = |of: fn(&Tally) -> usize| self.stages.values().map(|stage| of(&stage.tally)).sum();
        Tally {
            looking: sum(|t| t.looking),
            acting: sum(|t| t.acting),
            changed: sum(|t| t.changed),
            unchanged: sum(|t| t.unchanged),
            skipped: sum(|t| t.skipped),
            failed: sum(|t| t.failed),
            not_run: sum(|t| t.not_run),
            unknown: sum(|t| t.unknown),
        }
    }

    /// Steps of the plan that have not begun.
    #[must_use]
    pub fn pending(&self) -> usize {
        let known = self.steps.values().filter(|step| step.state != StepState::Pending).count();
        self.run.as_ref().map_or(0, |run| run.steps).saturating_sub(known)
    }

    /// Warnings of the plan, and those seen so far.
    #[must_use]
    pub fn warnings(&self) -> usize {
        let seen = self.findings.iter().filter(|finding| finding.severity == Severity::Warning).count();
        self.run.as_ref().map_or(0, |run| run.warnings) + seen
    }

    /// Counts so far; the run's own counts once it ended.
    #[must_use]
    pub fn counts(&self) -> Counts {
        if let Some(end) = &self.end {
            return end.counts;
        }
        let Tally { changed, unchanged, skipped, failed, not_run, .. } = self.tally();
        let hosts_failed = self.nodes.values().filter(|node| node.failed > 0).count();
        let hosts = self.run.as_ref().map_or(self.nodes.len(), |run| run.hosts);
        let warnings = self.warnings();
        Counts { changed, unchanged, skipped, failed, not_run, warnings, hosts, hosts_failed }
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A process holds the lock for it and shows signs of life.
    Running,
    /// It has no end, and nobody is at work on it.
    Interrupted,
    /// Every step is done.
    Done,
    /// Some steps failed or were not reached.
    Partly,
    /// It was stopped from outside.
    Stopped,
    /// There was no run yet.
    None,
}

impl RunState {
    /// The word of the machine interface.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Stopped => "stopped",
            Self::None => "none",
        }
    }
}
