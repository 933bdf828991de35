//! The picture of a run: events folded in order.
//!
//! Reading an event twice, or missing progress events, ends with the same picture. Every display is drawn from it. What it
//! does not do: order events that arrive out of order; a stream is delivered in the order of `seq`.

use jiff::Timestamp;
use plinth_model::event::{Counts, Ended, Outcome};
use plinth_model::{Digest, Event, EventBody, Finding, Plan, Severity, SiteName, Stage, StepId};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// The run, once it has started.
    pub run: Option<Run>,
    /// Steps per stage in the plan; empty when the plan was not given.
    pub totals: BTreeMap<Stage, usize>,
    /// Steps that ended, per stage.
    pub stages: BTreeMap<Stage, StageCounts>,
    /// Steps in flight.
    pub running: BTreeMap<StepId, Running>,
    /// Steps that failed.
    pub failed: BTreeMap<StepId, Failure>,
    /// Nodes that any step touched.
    pub nodes: BTreeMap<String, NodeState>,
    /// Gates that opened, with their answers.
    pub gates: BTreeMap<String, String>,
    /// What was doubtful; each once.
    pub findings: Vec<Finding>,
    /// Transient failures that were tried again.
    pub retries: usize,
    /// Why the run began to stop.
    pub stopping: Option<String>,
    /// How it ended.
    pub end: Option<End>,
    /// Warnings of the plan, which no event repeats.
    planned_warnings: usize,
    ended: BTreeMap<StepId, (Stage, Ended)>,
    last_seq: u64,
    last_at: Option<Timestamp>,
}

/// The run's head line.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Run id.
    pub id: String,
    /// Plan hash.
    pub plan: Digest,
    /// Site.
    pub site: SiteName,
    /// Steps in the plan.
    pub steps: usize,
    /// Nodes the plan touches.
    pub hosts: usize,
    /// Whether this is a rehearsal, so that time is virtual.
    pub rehearsal: bool,
    /// Whether an earlier run is continued.
    pub continues: bool,
    /// When it started.
    pub started: Timestamp,
}

/// How many steps of a stage ended, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageCounts {
    /// Made so.
    pub changed: usize,
    /// Already so.
    pub unchanged: usize,
    /// Left out by their gate.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Not run.
    pub not_run: usize,
}

impl StageCounts {
    /// Steps that ended as wanted.
    #[must_use]
    pub const fn done(&self) -> usize {
        self.changed + self.unchanged + self.skipped
    }

    /// Steps that ended in any way.
    #[must_use]
    pub const fn ended(&self) -> usize {
        self.done() + self.failed + self.not_run
    }

    fn of(&mut self, ended: Ended) -> &mut usize {
        match ended {
            Ended::Changed => &mut self.changed,
            Ended::Unchanged => &mut self.unchanged,
            Ended::Skipped => &mut self.skipped,
            Ended::Failed => &mut self.failed,
            Ended::NotRun => &mut self.not_run,
        }
    }
}

/// A step in flight.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// Stage.
    pub stage: Stage,
    /// Node, if it touches one.
    pub node: Option<String>,
    /// When it started.
    pub started: Timestamp,
    /// Attempt, from 1; 0 while it is only looked at.
    pub attempt: u32,
    /// Last progress of this attempt. The one part of a picture that thinned streams may lack.
    pub progress: Option<Progress>,
}

/// Something moved inside a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 when unknown.
    pub total: u64,
    /// What is being done.
    pub message: String,
}

/// A step that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Stage.
    pub stage: Stage,
    /// Node, if it touches one.
    pub node: Option<String>,
    /// One line.
    pub detail: String,
    /// What is wrong, and how to fix it.
    pub finding: Option<Box<Finding>>,
}

/// What is known of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Steps in flight.
    pub running: BTreeSet<StepId>,
    /// Steps that ended as wanted.
    pub done: usize,
    /// Steps that failed.
    pub failed: BTreeSet<StepId>,
    /// Steps that were not run.
    pub not_run: usize,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// How.
    pub outcome: Outcome,
    /// Exit code of the process.
    pub exit: u8,
    /// Counts.
    pub counts: Counts,
    /// Seconds since it started.
    pub seconds: f64,
    /// What to do next.
    pub next: Vec<String>,
}

impl Picture {
    /// A picture that knows how many steps each stage of the plan has, and how many warnings the plan.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let planned_warnings = plan.findings.iter().filter(|f| f.severity == Severity::Warning).count();
        let mut picture = Self { planned_warnings, ..Self::default() };
        for step in &plan.steps {
            *picture.totals.entry(step.stage).or_default() += 1;
        }
        picture
    }

    /// Folds one event in. Answers whether it was new: false for one that was read before.
    pub fn fold(&mut self, event: &Event) -> bool {
        if self.is_other_run(event) {
            let (totals, planned_warnings) = (std::mem::take(&mut self.totals), self.planned_warnings);
            *self = Self { totals, planned_warnings, ..Self::default() };
        }
        if event.seq <= self.last_seq {
            return false;
        }
        self.last_seq = event.seq;
        self.last_at = Some(event.at);
        self.take(event);
        true
    }

    /// Seconds from the start of the run to the last event; never negative, although a clock may go backwards.
    #[must_use]
    pub fn elapsed(&self) -> f64 {
        self.since_start(self.last_at)
    }

    /// Seconds that a step has been in flight at the last event.
    #[must_use]
    pub fn running_for(&self, running: &Running) -> f64 {
        self.last_at.map_or(0.0, |now| seconds_between(running.started, now))
    }

    /// Steps in flight, longest first.
    #[must_use]
    pub fn longest_running(&self) -> Vec<(&StepId, &Running)> {
        let mut steps: Vec<_> = self.running.iter().collect();
        steps.sort_by_key(|(id, running)| (running.started, *id));
        steps
    }

    /// How a step ended, if it did.
    #[must_use]
    pub fn ended(&self, step: &StepId) -> Option<Ended> {
        self.ended.get(step).map(|(_, ended)| *ended)
    }

    /// Warnings of the plan, and those seen so far.
    #[must_use]
    pub fn warnings(&self) -> usize {
        let seen = self.findings.iter().filter(|finding| finding.severity == Severity::Warning).count();
        self.planned_warnings + seen
    }

    /// Counts so far; the run's own counts once it ended.
    #[must_use]
    pub fn counts(&self) -> Counts {
        if let Some(end) = &self.end {
            return end.counts;
        }
        let sum = |of: fn(&StageCounts) -> usize| self.stages.values().map(of).sum();
        Counts {
            changed: sum(|c| c.changed),
            unchanged: sum(|c| c.unchanged),
            skipped: sum(|c| c.skipped),
            failed: sum(|c| c.failed),
            not_run: sum(|c| c.not_run),
            warnings: self.warnings(),
            hosts: self.run.as_ref().map_or(self.nodes.len(), |run| run.hosts),
            hosts_failed: self.nodes.values().filter(|node| !node.failed.is_empty()).count(),
        }
    }

    fn since_start(&self, at: Option<Timestamp>) -> f64 {
        match (&self.run, at) {
            (Some(run), Some(at)) => seconds_between(run.started, at),
            _ => 0.0,
        }
    }

    fn is_other_run(&self, event: &Event) -> bool {
        match (&event.body, &self.run) {
            (EventBody::RunStarted { run, .. }, Some(known)) => known.id != *run,
            _ => false,
        }
    }

    fn take(&mut self, event: &Event) {
        match &event.body {
            EventBody::RunStarted { run, plan, site, steps, hosts, rehearsal, continues, schema: _ } => {
                self.run = Some(Run {
                    id: run.clone(),
                    plan: plan.clone(),
                    site: site.clone(),
                    steps: *steps,
                    hosts: *hosts,
                    rehearsal: *rehearsal,
                    continues: *continues,
                    started: event.at,
                });
            }
            EventBody::StepStarted { step, stage, node, reason: _ } => {
                self.start(event.at, step, *stage, node.as_deref())
            }
            EventBody::StepActing { step, attempt, diff: _ } => self.attempt(step, *attempt),
            EventBody::StepProgress { step, done, total, message } => {
                self.progress(step, Progress { done: *done, total: *total, message: message.clone() });
            }
            EventBody::StepRetrying { step, attempt, .. } => {
                self.retries += 1;
                self.attempt(step, *attempt);
            }
            EventBody::StepFinished { .. } => self.finish_step(&event.body),
            EventBody::GateOpened { gate, answer } => {
                self.gates.insert(gate.clone(), answer.clone());
            }
            EventBody::Finding { finding } => self.note(finding),
            EventBody::RunStopping { reason } => self.stopping = Some(reason.clone()),
            EventBody::RunFinished { outcome, exit, counts, seconds, next } => {
                self.running.clear();
                self.nodes.values_mut().for_each(|node| node.running.clear());
                self.end = Some(End {
                    outcome: *outcome,
                    exit: *exit,
                    counts: *counts,
                    seconds: *seconds,
                    next: next.clone(),
                });
            }
        }
    }

    fn start(&mut self, at: Timestamp, step: &StepId, stage: Stage, node: Option<&str>) {
        if let Some(node) = node {
            self.nodes.entry(node.to_owned()).or_default().running.insert(step.clone());
        }
        self.stages.entry(stage).or_default();
        let running = Running { stage, node: node.map(str::to_owned), started: at, attempt: 0, progress: None };
        self.running.insert(step.clone(), running);
    }

    fn attempt(&mut self, step: &StepId, attempt: u32) {
        if let Some(running) = self.running.get_mut(step) {
            running.attempt = attempt;
            running.progress = None;
        }
    }

    fn progress(&mut self, step: &StepId, progress: Progress) {
        if let Some(running) = self.running.get_mut(step) {
            running.progress = Some(progress);
        }
    }

    fn finish_step(&mut self, body: &EventBody) {
        let EventBody::StepFinished { step, stage, node, outcome, detail, finding, seconds: _ } = body else { return };
        self.running.remove(step);
        if let Some((stage, before)) = self.ended.insert(step.clone(), (*stage, *outcome)) {
            *self.stages.entry(stage).or_default().of(before) -= 1;
        }
        *self.stages.entry(*stage).or_default().of(*outcome) += 1;
        if let Some(node) = node {
            self.finish_on_node(node, step, *outcome);
        }
        if *outcome == Ended::Failed {
            let failure =
                Failure { stage: *stage, node: node.clone(), detail: detail.clone(), finding: finding.clone() };
            self.failed.insert(step.clone(), failure);
        } else {
            self.failed.remove(step);
        }
    }

    fn finish_on_node(&mut self, node: &str, step: &StepId, outcome: Ended) {
        let state = self.nodes.entry(node.to_owned()).or_default();
        state.running.remove(step);
        match outcome {
            Ended::Changed | Ended::Unchanged | Ended::Skipped => state.done += 1,
            Ended::NotRun => state.not_run += 1,
            Ended::Failed => {
                state.failed.insert(step.clone());
            }
        }
    }

    fn note(&mut self, finding: &Finding) {
        if !self.findings.contains(finding) {
            self.findings.push(finding.clone());
        }
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
