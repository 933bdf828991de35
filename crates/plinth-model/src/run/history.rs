//! What happened to one node or one step, over all runs: the answer to "who changed this, when, and what was there before".

use super::{Counts, Event, EventBody, Outcome, RunHead, StepState};
use crate::plan::Plan;
use crate::steps::Undo;
use crate::{Digest, Finding, NodeName, StepId};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Schema number of `history --json`.
pub const SCHEMA: u32 = 1;

/// `plinth history`: what happened to a node or a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// [`SCHEMA`] of the plinth that answers.
    pub schema: u32,
    /// The node or the step that was asked for; null: the runs alone.
    pub about: Option<String>,
    /// Runs that were about it, oldest first.
    pub runs: Vec<RunHistory>,
    /// How many older runs are not kept any more; what they did is not known here.
    pub removed: u32,
}

/// What one run did there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunHistory {
    /// Run id.
    pub run: String,
    /// Plan hash.
    pub plan: Digest,
    /// First event.
    pub started: Timestamp,
    /// Who ran it: user, host and process.
    pub by: String,
    /// Whether it was a rehearsal: nothing real was touched, and its times are virtual.
    pub rehearsal: bool,
    /// How it ended; null while it runs, and when it was interrupted.
    pub outcome: Option<Outcome>,
    /// Counts of the whole run; null while it runs, and when it was interrupted.
    pub counts: Option<Counts>,
    /// Nodes that it left out.
    pub without: Vec<NodeName>,
    /// Whether its plan could be read. If not, it is not known how steps are undone, nor which nodes a step on several nodes touched.
    pub plan_is_read: bool,
    /// What it did to what was asked for, in the order in which it began.
    pub steps: Vec<StepHistory>,
}

/// What one run did to one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepHistory {
    /// Which one; the same in all runs of the site.
    pub step: StepId,
    /// Node that it touches; null when it is about several, or about the cluster.
    pub node: Option<String>,
    /// How it ended; `acting` when its end was not seen.
    pub state: StepState,
    /// When it began.
    pub at: Timestamp,
    /// When it ended; null when that was not seen.
    pub ended: Option<Timestamp>,
    /// Why it was in the plan.
    pub reason: String,
    /// What was missing before: the differences that were seen, one line each.
    pub before: Vec<String>,
    /// What was done or found, one line.
    pub after: String,
    /// Attempts to change it.
    pub attempts: u32,
    /// How it can be undone; null when it changed nothing, or its plan is not kept.
    pub undo: Option<Undo>,
    /// What was wrong, when it failed.
    pub finding: Option<Box<Finding>>,
}

impl StepHistory {
    /// Whether it had an effect, or may have had one.
    #[must_use]
    pub const fn touched(&self) -> bool {
        self.attempts > 0
    }
}

impl RunHistory {
    /// What the events of one run say about these steps. `None` when the first event of the run is not among them.
    #[must_use]
    pub fn of<'a>(
        events: impl IntoIterator<Item = &'a Event>,
        about: impl Fn(&StepId, Option<&str>) -> bool,
    ) -> Option<Self> {
        let mut events = events.into_iter();
        let first = events.next()?;
        let EventBody::RunStarted(head) = &first.body else { return None };
        let mut run = Self::begun(head, first.at);
        let mut places: BTreeMap<StepId, usize> = BTreeMap::new();
        for event in events {
            match &event.body {
                EventBody::StepStarted { step, node, reason, .. } if about(step, node.as_deref()) => {
                    places.insert(step.clone(), run.steps.len());
                    run.steps.push(StepHistory::begun(step, node.as_deref(), event.at, reason));
                }
                EventBody::RunFinished { outcome, counts, .. } => {
                    (run.outcome, run.counts) = (Some(*outcome), Some(*counts));
                }
                _ => run.place(&places, event),
            }
        }
        Some(run)
    }

    /// Says how what was touched can be undone, as its plan has it.
    #[must_use]
    pub fn with_plan(mut self, plan: &Plan) -> Self {
        self.plan_is_read = true;
        for known in self.steps.iter_mut().filter(|step| step.touched()) {
            known.undo = plan.steps.iter().find(|step| step.id == known.step).map(|step| step.work.properties().undo);
        }
        self
    }

    fn begun(head: &RunHead, started: Timestamp) -> Self {
        Self {
            run: head.run.clone(),
            plan: head.plan.clone(),
            started,
            by: head.owner.clone(),
            rehearsal: head.rehearsal,
            outcome: None,
            counts: None,
            without: head.without.clone(),
            plan_is_read: false,
            steps: Vec::new(),
        }
    }

    fn place(&mut self, places: &BTreeMap<StepId, usize>, event: &Event) {
        let (EventBody::StepActing { step, .. } | EventBody::StepFinished { step, .. }) = &event.body else { return };
        if let Some(known) = places.get(step).and_then(|at| self.steps.get_mut(*at)) {
            known.take(event);
        }
    }
}

impl StepHistory {
    fn begun(step: &StepId, node: Option<&str>, at: Timestamp, reason: &str) -> Self {
        Self {
            step: step.clone(),
            node: node.map(str::to_owned),
            state: StepState::Looking,
            at,
            ended: None,
            reason: reason.to_owned(),
            before: Vec::new(),
            after: String::new(),
            attempts: 0,
            undo: None,
            finding: None,
        }
    }

    /// The differences of the first attempt are what was there before; later ones are what a failed attempt left.
    fn take(&mut self, event: &Event) {
        match &event.body {
            EventBody::StepActing { diff, attempt, reads_only, .. } => {
                if self.before.is_empty() {
                    self.before.clone_from(diff);
                }
                if !*reads_only {
                    (self.state, self.attempts) = (StepState::Acting, *attempt);
                }
            }
            EventBody::StepFinished { outcome, detail, finding, .. } => {
                (self.state, self.ended) = (*outcome, Some(event.at));
                self.after.clone_from(detail);
                self.finding.clone_from(finding);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::run::StepEnd;
    use crate::{SiteName, Stage};

    fn events(bodies: Vec<EventBody>) -> Vec<Event> {
        let head = RunHead::new("run-1", Digest::of(""), SiteName::new("lab").unwrap());
        let bodies = std::iter::once(EventBody::RunStarted(head)).chain(bodies);
        let at = |seq: u64| Timestamp::from_second(i64::try_from(seq).unwrap()).unwrap();
        (1..).zip(bodies).map(|(seq, body)| Event { seq, after: None, at: at(seq), body }).collect()
    }

    fn started(step: &StepId) -> EventBody {
        EventBody::StepStarted {
            step: step.clone(),
            stage: Stage::Nodes,
            node: None,
            reason: "why".into(),
            ready_at: None,
            held_by: None,
            last_need: None,
        }
    }

    fn acting(step: &StepId, diff: &str, attempt: u32) -> EventBody {
        EventBody::StepActing {
            step: step.clone(),
            diff: vec![diff.into()],
            attempt,
            reads_only: false,
            installed: None,
        }
    }

    fn finished(step: &StepId, outcome: StepState) -> EventBody {
        let end = StepEnd::new(step.clone(), Stage::Nodes, outcome);
        StepEnd { seconds: 1.0, detail: "made".into(), ..end }.into()
    }

    #[test]
    fn before_is_what_the_first_look_saw_and_an_end_that_was_not_seen_is_not_made_up() {
        let step = |id: &str| StepId::try_from(id.to_owned()).unwrap();
        let (one, two, other) = (step("nodes/account/n1"), step("nodes/storage/n1"), step("nodes/account/n2"));
        let bodies = vec![
            started(&one),
            acting(&one, "+ user", 1),
            started(&other),
            acting(&one, "+ key", 2),
            finished(&one, StepState::Changed),
            finished(&other, StepState::Changed),
            started(&two),
            acting(&two, "~ moves", 1),
        ];
        let run = RunHistory::of(&events(bodies), |step, _| step.target() == "n1").unwrap();
        assert_eq!((run.outcome, run.counts), (None, None));
        let told: Vec<_> = run.steps.iter().map(|s| (s.step.as_str(), s.state, s.attempts, s.before.clone())).collect();
        assert_eq!(
            told,
            [
                ("nodes/account/n1", StepState::Changed, 2, vec!["+ user".to_owned()]),
                ("nodes/storage/n1", StepState::Acting, 1, vec!["~ moves".to_owned()]),
            ]
        );
        assert_eq!((run.steps[0].ended.is_some(), run.steps[1].ended), (true, None));
    }
}
