//! Events into the view: the only place that says what an event means.

use super::order::Place;
use super::view::{Applied, Progress, RunEnd, StepView};
use super::{Event, EventBody, RunHead, RunView, StepState};
use crate::{Finding, Stage, StepId};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

impl RunView {
    /// Everything that a list of events amounts to; events that are missing are given up.
    #[must_use]
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut view = Self::default();
        for event in events {
            view.apply(event);
        }
        view.settle();
        view
    }

    /// Takes one event in. The first event of another run begins a new view.
    pub fn apply(&mut self, event: &Event) -> Applied {
        if self.is_other_run(event) {
            *self = Self::default();
        }
        match self.order.place(event) {
            Place::Known => Applied::Known,
            Place::Early => match self.order.hold(event) {
                None => Applied::Held,
                Some(first) => Applied::Several(self.take_waiting(first)),
            },
            Place::Now => {
                self.take(event);
                match self.order.ready() {
                    None => Applied::Now,
                    Some(next) => Applied::Several([vec![event.clone()], self.take_waiting(next)].concat()),
                }
            }
        }
    }

    /// No more events come: takes in what still waits, and says what is missing in front of it.
    pub fn settle(&mut self) -> Vec<Event> {
        let mut taken = Vec::new();
        while let Some(first) = self.order.give_up() {
            taken.extend(self.take_waiting(first));
        }
        taken
    }

    /// What moves inside steps is no event that is kept: whoever knows it tells it here. Answers whether that is new.
    pub fn moving(&mut self, told: &BTreeMap<StepId, Progress>) -> bool {
        let mut changed = false;
        for (id, progress) in told {
            let step = self.steps.get_mut(id).filter(|step| step.state.is_running());
            if let Some(step) = step.filter(|step| step.progress.as_ref() != Some(progress)) {
                step.progress = Some(progress.clone());
                changed = true;
            }
        }
        changed
    }

    /// Nobody is at work on the run any more: the end of what is in flight was not seen.
    pub fn lose_sight(&mut self) {
        let running: Vec<StepId> = self.running.iter().cloned().collect();
        for id in running {
            self.set(&id, StepState::Unknown);
        }
    }

    fn take_waiting(&mut self, first: Event) -> Vec<Event> {
        let mut taken = Vec::new();
        let mut next = Some(first);
        while let Some(event) = next {
            self.take(&event);
            taken.push(event);
            next = self.order.ready();
        }
        taken
    }

    fn is_other_run(&self, event: &Event) -> bool {
        match (&event.body, &self.run) {
            (EventBody::RunStarted(head), Some(known)) => known.run != head.run,
            _ => false,
        }
    }

    fn take(&mut self, event: &Event) {
        self.order.read(event);
        if event.seq >= self.newest {
            (self.newest, self.at) = (event.seq, Some(event.at));
        }
        match &event.body {
            EventBody::RunStarted(head) => self.begin(head, event.at),
            EventBody::StepStarted { step, stage, node, reason, ready_at, held_by, last_need } => {
                self.start(event, step, *stage, node.as_deref());
                if let Some(view) = self.steps.get_mut(step) {
                    view.reason.clone_from(reason);
                    (view.ready_at, view.last_need) = (*ready_at, last_need.clone());
                    view.held_by = held_by.as_deref().cloned();
                }
            }
            EventBody::StepActing { step, diff, attempt, reads_only, installed: _ } => {
                self.act(event.seq, step, (diff, *attempt, !*reads_only));
                self.set(step, if *reads_only { StepState::Looking } else { StepState::Acting });
            }
            EventBody::StepProgress { step, done, total, message } => {
                let progress = Progress { done: *done, total: *total, message: message.clone() };
                self.progress(event.seq, step, progress);
            }
            EventBody::StepRetrying { step, message, next_at, .. } => self.retry(event.seq, step, (message, *next_at)),
            EventBody::StepFinished { .. } => self.finish(event),
            EventBody::GateOpened { gate, answer, by: _ } => {
                self.gates.insert(gate.clone(), answer.clone());
            }
            EventBody::Finding { finding, step: _ } => self.note(finding),
            EventBody::RunStopping { reason } => self.stopping = Some(reason.clone()),
            // It moves the time and nothing else, so that a reader who missed it sees the same run.
            EventBody::RunHeartbeat { .. } => {}
            EventBody::RunFinished { outcome, exit, counts, seconds, next, digest: _ } => {
                self.lose_sight();
                let (outcome, exit, counts, seconds) = (*outcome, *exit, *counts, *seconds);
                self.end = Some(RunEnd { outcome, exit, counts, seconds, next: next.clone() });
            }
        }
    }

    fn begin(&mut self, head: &RunHead, at: Timestamp) {
        for (stage, total) in &head.stages {
            self.stages.entry(*stage).or_default().total = *total;
        }
        self.run = Some(head.clone());
        self.started = Some(at);
    }

    fn start(&mut self, event: &Event, step: &StepId, stage: Stage, node: Option<&str>) {
        let view = self.known(step, stage, node);
        (view.started, view.seq) = (Some(event.at), event.seq);
        self.set(step, StepState::Looking);
    }

    fn act(&mut self, seq: u64, step: &StepId, (diff, attempt, acts): (&[String], u32, bool)) {
        if let Some(view) = self.steps.get_mut(step) {
            view.acted |= acts;
            (view.attempt, view.diff, view.progress, view.seq) = (attempt, diff.to_vec(), None, seq);
            (view.waits, view.next_at) = (None, None);
        }
    }

    /// Progress of an attempt that is over says nothing any more.
    fn progress(&mut self, seq: u64, step: &StepId, progress: Progress) {
        if let Some(view) = self.steps.get_mut(step)
            && view.seq < seq
            && view.state.is_running()
        {
            (view.progress, view.seq) = (Some(progress), seq);
        }
    }

    fn retry(&mut self, seq: u64, step: &StepId, (message, next_at): (&str, Option<Timestamp>)) {
        self.retries += 1;
        if let Some(view) = self.steps.get_mut(step) {
            (view.progress, view.seq) = (None, seq);
            view.retries += 1;
            (view.waits, view.next_at) = (Some(message.to_owned()), next_at);
        }
    }

    fn finish(&mut self, event: &Event) {
        let EventBody::StepFinished { step, stage, node, outcome, seconds, detail, finding, digest, .. } = &event.body
        else {
            return;
        };
        let EventBody::StepFinished { attempts, failure, held_by, facts, .. } = &event.body else { return };
        let view = self.known(step, *stage, node.as_deref());
        view.seconds = Some(*seconds);
        view.detail.clone_from(detail);
        view.finding.clone_from(finding);
        view.digest.clone_from(digest);
        (view.progress, view.waits, view.next_at, view.seq) = (None, None, None, event.seq);
        (view.ended, view.attempts) = (Some(event.at), *attempts);
        view.failure.clone_from(failure);
        view.facts.clone_from(facts);
        if held_by.is_some() {
            view.held_by = held_by.as_deref().cloned();
        }
        self.set(step, *outcome);
    }

    fn note(&mut self, finding: &Finding) {
        if !self.findings.contains(finding) {
            self.findings.push(finding.clone());
        }
    }

    /// The step, known from now on.
    fn known(&mut self, step: &StepId, stage: Stage, node: Option<&str>) -> &mut StepView {
        self.steps.entry(step.clone()).or_insert_with(|| StepView {
            stage,
            node: node.map(str::to_owned),
            state: StepState::Pending,
            started: None,
            seconds: None,
            reason: Arc::default(),
            attempt: 0,
            acted: false,
            waits: None,
            retries: 0,
            diff: Vec::new(),
            detail: String::new(),
            finding: None,
            progress: None,
            digest: None,
            ready_at: None,
            held_by: None,
            last_need: None,
            next_at: None,
            ended: None,
            attempts: 0,
            failure: None,
            facts: None,
            seq: 0,
        })
    }

    /// Moves a step that is known to another state, and everything that counts it.
    fn set(&mut self, id: &StepId, state: StepState) {
        let Some(step) = self.steps.get_mut(id) else { return };
        let before = std::mem::replace(&mut step.state, state);
        self.stages.entry(step.stage).or_default().tally.shift(before, state);
        if let Some(node) = &step.node {
            self.nodes.entry(node.clone()).or_default().shift(before, state);
        }
        if state.is_running() {
            self.running.insert(id.clone());
        } else {
            self.running.remove(id);
        }
        if before == StepState::Failed && state != before {
            self.failed.retain(|failed| failed != id);
        }
        if state == StepState::Failed && state != before {
            self.failed.push(id.clone());
        }
    }
}
