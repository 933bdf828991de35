//! Times of every step as numbers: what a timeline, an export and every computation start from.

use crate::kinds::kind_of;
use jiff::Timestamp;
use plinth_model::run::{HeldBy, StepState};
use plinth_model::{Event, EventBody, RunView, Stage, StepId};
use serde::Serialize;
use std::collections::HashMap;

/// One step of a run. Times are seconds since the run started.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Which step the row is about; unique in a run.
    pub step: StepId,
    /// `nodes/account`.
    pub kind: String,
    /// Its part of an apply, as the run's events say.
    pub stage: Stage,
    /// Node, if it touches one.
    pub node: Option<String>,
    /// When everything it needs was done.
    pub ready_s: Option<f64>,
    /// When it began.
    pub started_s: Option<f64>,
    /// When its first effect began.
    pub acting_s: Option<f64>,
    /// When it ended; none while it runs, and when it never began.
    pub ended_s: Option<f64>,
    /// Where it stands.
    pub state: StepState,
    /// Attempts in this run, to change it or, where nothing changed, to look at it; 0 before the first.
    pub attempts: u32,
    /// What held it last, or why it does not run.
    pub held_by: Option<HeldBy>,
}

impl Row {
    /// Of a step that nothing was said of yet.
    pub(crate) fn unsaid(step: &StepId, stage: Stage, node: Option<&String>) -> Self {
        Self {
            step: step.clone(),
            kind: kind_of(step),
            stage,
            node: node.cloned(),
            ready_s: None,
            started_s: None,
            acting_s: None,
            ended_s: None,
            state: StepState::Pending,
            attempts: 0,
            held_by: None,
        }
    }

    /// Seconds between being ready and beginning.
    #[must_use]
    pub fn queued_s(&self) -> f64 {
        self.ready_s.zip(self.started_s).map_or(0.0, |(ready, started)| (started - ready).max(0.0))
    }

    /// Seconds it took; none while it runs, and when it never began.
    #[must_use]
    pub fn took_s(&self) -> Option<f64> {
        self.started_s.zip(self.ended_s).map(|(started, ended)| (ended - started).max(0.0))
    }
}

/// All steps that something was said of, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Columns {
    /// One for each step, in the order of their ids.
    pub rows: Vec<Row>,
    /// Seconds from the first event to the newest.
    pub elapsed_s: f64,
}

impl Columns {
    /// From the events of one run, which say all that a row can hold.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut acting: HashMap<&StepId, Timestamp> = HashMap::new();
        for event in events {
            if let EventBody::StepActing { step, .. } = &event.body {
                acting.entry(step).or_insert(event.at);
            }
        }
        Self::with_acting(&RunView::of(events), &acting)
    }

    /// From a view, which does not know when effects began: `acting_s` is none.
    #[must_use]
    pub fn of_view(view: &RunView) -> Self {
        Self::with_acting(view, &HashMap::new())
    }

    fn with_acting(view: &RunView, acting: &HashMap<&StepId, Timestamp>) -> Self {
        let Some(began) = view.started else { return Self::default() };
        let since = |at: Timestamp| at.duration_since(began).as_secs_f64().max(0.0);
        let rows = view.steps.iter().map(|(id, step)| Row {
            step: id.clone(),
            kind: kind_of(id),
            stage: step.stage,
            node: step.node.clone(),
            ready_s: step.ready_at.map(since),
            started_s: step.started.map(since),
            acting_s: acting.get(id).copied().map(since),
            ended_s: step.ended.filter(|_| step.state.is_ended()).map(since),
            state: step.state,
            attempts: step.attempts.max(step.attempt),
            held_by: step.held_by.clone(),
        });
        Self { rows: rows.collect(), elapsed_s: view.elapsed() }
    }
}
