//! What the journal remembers for the next run, and the table of what may follow what.

use jiff::Timestamp;
use plinth_model::run::{Outcome, RunHead, StepState};
use plinth_model::{Digest, Event, EventBody, Installed, InstalledChange, StepId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// Events that cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{kind}` of `{subject}` cannot follow: {rule}")]
pub struct Impossible {
    /// Kind of the event refused.
    pub kind: &'static str,
    /// Step or run.
    pub subject: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// What is remembered of one step over all runs. Only what a later run decides by: the rest is in the view of its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepMemory {
    /// Run that last moved it.
    pub run: Arc<str>,
    /// Where it was left then: acting, changed, unchanged, skipped or failed. A step that was not run is where it was before.
    pub state: StepState,
    /// Digests it was ever done with and when it last was, the last one at the end.
    pub done_with: Vec<(Digest, Timestamp)>,
    /// Digests of what it made that may be made only once, and when it last was there. Empty of a step that is no such one, or was last done
    /// by a plinth that did not keep this.
    #[serde(default)]
    pub made_once: Vec<(Digest, Timestamp)>,
    /// Seconds that it took when it last changed something.
    pub took: Option<f64>,
    attempt: u32,
    /// A later step undid what it did: what it was done with says nothing about today.
    undone: bool,
}

impl StepMemory {
    /// Whether its last event says that it is done, and what was done is this.
    #[must_use]
    pub fn is_done_with(&self, digest: &Digest) -> bool {
        !self.undone
            && matches!(self.state, StepState::Changed | StepState::Unchanged)
            && self.done_with.last().is_some_and(|(last, _)| last == digest)
    }
}

/// What is remembered of the last run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastRun {
    /// Its first event: which plan, which site, who ran it.
    pub head: RunHead,
    /// How it ended; none while it runs or when it was interrupted.
    pub outcome: Option<Outcome>,
}

/// The durable events of all runs, folded. Written down when runs are removed: fields are only added, with
/// a default, and the schema of the journal goes up with them, so that nobody drops one and writes it back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Whatever it did; none when the site had no run yet.
    pub run: Option<LastRun>,
    /// Last run that did more than check: the one that a later one may continue.
    pub worked: Option<LastRun>,
    /// Steps whose effect ever began, or that ever ended.
    pub steps: HashMap<StepId, StepMemory>,
    /// What plinth brought into the cluster and did not take away again.
    pub installed: Installed,
    /// Which step last changed what about it.
    changes: HashMap<StepId, InstalledChange>,
}

impl Memory {
    /// Steps whose effect began and whose end was not seen, sorted by id.
    #[must_use]
    pub fn in_flight(&self) -> Vec<&StepId> {
        let open = |step: &StepMemory| step.state == StepState::Acting;
        let mut ids: Vec<&StepId> = self.steps.iter().filter(|(_, step)| open(step)).map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// When this, which the step may make only once, was last there; none: never. A journal of before says only that the step was done, and
    /// not what it made: then it is taken to be this, since a second one is worse than a question.
    #[must_use]
    pub fn last_made(&self, step: &StepId, once: &Digest) -> Option<Timestamp> {
        let known = self.steps.get(step)?;
        if known.made_once.is_empty() {
            return known.done_with.last().map(|(_, at)| *at);
        }
        known.made_once.iter().find(|(made, _)| made == once).map(|(_, at)| *at)
    }

    /// Checks that the events of a run can follow what is remembered. Takes nothing in.
    ///
    /// # Errors
    /// The first event that cannot follow, with its index.
    pub(super) fn check(&self, run: &str, events: &[Event]) -> Result<(), (usize, Impossible)> {
        let open = self.run.as_ref().map(|last| (last.head.run.as_str(), last.outcome.is_some()));
        let mut draft = Draft { memory: self, run, open, steps: HashMap::new() };
        for (index, event) in events.iter().enumerate() {
            draft.admit(&event.body).map_err(|rule| (index, refuse(run, &event.body, rule)))?;
        }
        Ok(())
    }

    pub(super) fn take(&mut self, run: &Arc<str>, event: &Event) {
        match &event.body {
            EventBody::RunStarted(head) => self.begin(head),
            EventBody::RunFinished { outcome, .. } => {
                let worked = self.worked.iter_mut().filter(|last| last.head.run == **run);
                worked.chain(&mut self.run).for_each(|last| last.outcome = Some(*outcome));
            }
            EventBody::StepActing { step, attempt, reads_only: false, installed, .. } => {
                self.leave(run, step, (StepState::Acting, *attempt));
                self.install(step, installed.as_deref());
            }
            EventBody::StepFinished { step, outcome, seconds, digest, once, installed, .. }
                if *outcome != StepState::NotRun =>
            {
                self.install(step, installed.as_deref());
                let known = self.leave(run, step, (*outcome, 0));
                if *outcome == StepState::Changed {
                    known.took = Some(*seconds);
                }
                put_last(&mut known.done_with, digest.as_ref(), event.at);
                put_last(&mut known.made_once, once.as_ref(), event.at);
            }
            _ => {}
        }
    }

    fn begin(&mut self, head: &RunHead) {
        let begun = LastRun { head: head.clone(), outcome: None };
        if head.is_whole() {
            self.worked = Some(begun.clone());
        }
        self.run = Some(begun);
    }

    fn leave(&mut self, run: &Arc<str>, step: &StepId, (state, attempt): (StepState, u32)) -> &mut StepMemory {
        let known = self.steps.entry(step.clone()).or_insert_with(|| StepMemory {
            run: Arc::clone(run),
            state,
            done_with: Vec::new(),
            made_once: Vec::new(),
            took: None,
            attempt,
            undone: false,
        });
        (known.run, known.state, known.attempt, known.undone) = (Arc::clone(run), state, attempt, false);
        known
    }

    fn install(&mut self, step: &StepId, change: Option<&InstalledChange>) {
        let Some(change) = change else { return };
        self.installed.take(change);
        for (other, _) in self.changes.iter().filter(|(other, known)| *other != step && change.undoes(known)) {
            if let Some(other) = self.steps.get_mut(other) {
                other.undone = true;
            }
        }
        self.changes.insert(step.clone(), change.clone());
    }
}

/// Each digest stands there once, with when it last was.
fn put_last(list: &mut Vec<(Digest, Timestamp)>, digest: Option<&Digest>, at: Timestamp) {
    let Some(digest) = digest else { return };
    list.retain(|(known, _)| known != digest);
    list.push((digest.clone(), at));
}

fn refuse(run: &str, body: &EventBody, rule: &'static str) -> Impossible {
    let subject = match body {
        EventBody::StepActing { step, .. } | EventBody::StepFinished { step, .. } => step.as_str(),
        _ => run,
    };
    Impossible { kind: body.kind(), subject: subject.to_owned(), rule }
}

/// What the memory would be behind some events, as far as the rules ask.
struct Draft<'a> {
    memory: &'a Memory,
    run: &'a str,
    /// The last run, and whether it has ended.
    open: Option<(&'a str, bool)>,
    steps: HashMap<&'a StepId, (StepState, u32)>,
}

impl<'a> Draft<'a> {
    fn admit(&mut self, body: &'a EventBody) -> Result<(), &'static str> {
        if let EventBody::RunStarted(head) = body {
            if head.run != self.run {
                return Err("the lock was taken for another run");
            }
            if self.open.is_some_and(|(run, _)| run == self.run) {
                return Err("the run has started already");
            }
            self.open = Some((self.run, false));
            return Ok(());
        }
        match self.open {
            None => return Err("no run has started"),
            Some((run, _)) if run != self.run => return Err("another run has started since"),
            Some((_, true)) => return Err("the run has ended"),
            Some(_) => {}
        }
        match body {
            EventBody::RunFinished { .. } => self.open = Some((self.run, true)),
            EventBody::StepActing { step, attempt, reads_only: false, .. } => {
                self.steps.insert(step, (StepState::Acting, self.attempt(step, *attempt)?));
            }
            EventBody::StepFinished { step, outcome, .. } if *outcome != StepState::NotRun => {
                self.steps.insert(step, (self.ending(step, *outcome)?, 0));
            }
            _ => {}
        }
        Ok(())
    }

    /// Where the step stands in this run. What earlier runs recorded binds nothing.
    fn now(&self, step: &StepId) -> Option<(StepState, u32)> {
        let remembered = self.memory.steps.get(step).filter(|known| *known.run == *self.run);
        self.steps.get(step).copied().or_else(|| remembered.map(|known| (known.state, known.attempt)))
    }

    fn attempt(&self, step: &StepId, attempt: u32) -> Result<u32, &'static str> {
        match self.now(step) {
            None if attempt == 1 => Ok(attempt),
            Some((StepState::Acting, last)) if attempt == last + 1 => Ok(attempt),
            Some((state, _)) if state.is_ended() => Err("the step has ended in this run"),
            _ => Err("attempts count from 1, one by one"),
        }
    }

    fn ending(&self, step: &StepId, outcome: StepState) -> Result<StepState, &'static str> {
        match (outcome, self.now(step).map(|(state, _)| state)) {
            (_, Some(state)) if state.is_ended() => Err("the step has ended in this run"),
            (StepState::Changed, None) => Err("nothing was intended in this run"),
            (StepState::Unchanged | StepState::Skipped, Some(_)) => Err("an effect was intended in this run"),
            _ => Ok(outcome),
        }
    }
}
