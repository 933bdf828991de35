//! All that is computed of one run, in one place: verbs, exports, the report and the page show the same values.

use crate::{
    Columns, CriticalPath, FailureGroup, Hardware, KindView, Past, Prediction, RehearsalDiff, Row, RunEntry, Shape,
    Slow, StopNow, Subject, TimeLeft, Traits, Waiting, failure_groups, kinds, slow_nodes, stop_now, time_left, waiting,
};
use jiff::Timestamp;
use plinth_model::run::{RunState, StreamSeal};
use plinth_model::{Event, RunView, StepId};
use std::collections::HashMap;

/// What a run amounts to. What needs other runs, or the time of day, is there once it was asked for.
pub struct Analysis {
    /// The run in a list.
    pub entry: RunEntry,
    /// Its steps with their times.
    pub columns: Columns,
    /// Steps of its plan that nothing was said of yet.
    unsaid: Vec<Row>,
    /// The same by kinds of steps.
    pub kinds: Vec<KindView>,
    /// What failed, by cause.
    pub groups: Vec<FailureGroup>,
    /// Steps that do not run, each with its reason.
    pub waiting: Vec<Waiting>,
    /// Where its time went.
    pub path: CriticalPath,
    /// Nodes that were slow among their like; empty before [`Analysis::find_slow`].
    pub slow: Vec<Slow>,
    /// Whether its events are all that were said; none as long as it has no end.
    pub whole: Option<bool>,
    /// How long it still takes; none before [`Analysis::look_ahead`].
    pub left: Option<TimeLeft>,
    /// What stopping it now would mean; none before [`Analysis::look_ahead`].
    pub stop: Option<StopNow>,
    /// The run beside its rehearsal; none before [`Analysis::lay_over`].
    pub rehearsal: Option<RehearsalDiff>,
}

impl Analysis {
    /// Of a run's events, folded into `view`, which may know better than they what is still at work.
    #[must_use]
    pub fn of(entry: RunEntry, events: &[Event], (view, shape): (&RunView, &Shape), traits: &Traits) -> Self {
        let mut columns = Columns::of(events);
        columns.rows.iter_mut().for_each(|row| row.state = view.state_of(&row.step));
        let unsaid = shape.about().filter(|(step, ..)| !view.steps.contains_key(*step));
        Self {
            entry,
            columns,
            unsaid: unsaid.map(|(step, stage, node)| Row::unsaid(step, stage, node)).collect(),
            kinds: kinds(view),
            groups: failure_groups(view, traits),
            waiting: waiting(view, shape, view.at.unwrap_or_default()),
            path: CriticalPath::of(view, shape),
            slow: Vec::new(),
            whole: StreamSeal::holds(events),
            left: None,
            stop: None,
            rehearsal: None,
        }
    }

    /// Finds the slow nodes, with how often they were slow before. Earlier runs, newest first, are only asked for when somebody is slow.
    pub fn find_slow<C: AsRef<[Columns]>>(&mut self, hardware: &Hardware, earlier: impl FnOnce() -> C) {
        self.slow = slow_nodes(&self.columns, hardware, &[]);
        if !self.slow.is_empty() {
            self.slow = slow_nodes(&self.columns, hardware, earlier().as_ref());
        }
    }

    /// Its steps with what a filter looks at, those of its plan among them that nothing was said of yet.
    #[must_use]
    pub fn subjects<'a>(&'a self, view: &'a RunView) -> Vec<Subject<'a>> {
        let waiting: HashMap<&StepId, &Waiting> = self.waiting.iter().map(|one| (&one.step, one)).collect();
        let detail = |step| view.steps.get(step).map_or("", |step| step.detail.as_str());
        let rows = self.columns.rows.iter().chain(&self.unsaid);
        rows.map(|row| Subject { row, waiting: waiting.get(&row.step).copied(), detail: detail(&row.step) }).collect()
    }

    /// Whether it goes on, so that something lies ahead of it.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.entry.state == RunState::Running
    }

    /// Looks at what lies ahead of a run that goes on. `now`: by its own clock.
    pub fn look_ahead(&mut self, (view, shape): (&RunView, &Shape), past: &Past, now: Timestamp) {
        if self.goes_on() {
            self.waiting = waiting(view, shape, now);
            self.left = time_left(view, shape, past, now);
            self.stop = stop_now((view, shape), past, now);
        }
    }

    /// Lays the run over its rehearsal.
    pub fn lay_over(&mut self, prediction: Option<&Prediction>, view: &RunView) {
        self.rehearsal = prediction.and_then(|prediction| RehearsalDiff::of(prediction, view, &self.path));
    }
}
