//! The critical path: the chain of steps that the end waited for, with what each waited for before it began.

use crate::graph::Shape;
use plinth_model::run::{HeldBy, StepView};
use plinth_model::{RunView, StepId};
use serde::Serialize;
use std::collections::BTreeSet;

/// One link of the path: how long it waited, for what, and how long it worked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// A key of [`RunView::steps`].
    pub step: StepId,
    /// Seconds that it was ready and did not begin.
    pub queued_s: f64,
    /// What held it meanwhile; null when nothing did.
    pub held_by: Option<HeldBy>,
    /// Seconds it worked, to now if it still does.
    pub worked_s: f64,
}

/// The path, first step first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CriticalPath {
    /// The first began first; each was waited for by the next.
    pub steps: Vec<PathStep>,
    /// Seconds in all.
    pub total_s: f64,
    /// Of these, seconds of work.
    pub worked_s: f64,
    /// Seconds of waiting for a lane.
    pub lane_s: f64,
    /// Seconds of waiting for a slot.
    pub slot_s: f64,
    /// Seconds between steps that neither explains: the first step's start, and runs of before that was recorded.
    pub other_s: f64,
}

impl CriticalPath {
    /// Follows a run back from its end, or from now while it goes on. Which step was waited for last is in the events;
    /// where it is not (older runs), the shape of the plan tells what was needed.
    #[must_use]
    pub fn of(view: &RunView, shape: &Shape) -> Self {
        let mut path = Self::default();
        let Some(began) = view.started else { return path };
        let mut at = last(view);
        let mut known = BTreeSet::new();
        let mut covered = 0.0;
        while let Some((id, step)) = at {
            if !known.insert(id) {
                break;
            }
            let one = one(view, id, step);
            covered += one.queued_s + one.worked_s;
            path.add(one);
            at = before(view, shape, id, step);
            if at.is_none() {
                let begins = step.ready_at.or(step.started);
                let first = begins.map_or(0.0, |first| first.duration_since(began).as_secs_f64().max(0.0));
                covered += first;
                path.other_s += first;
            }
        }
        path.steps.reverse();
        let end = path.steps.last().and_then(|step| view.steps.get(&step.step)).and_then(|step| step.ended.or(view.at));
        path.total_s = end.map_or(0.0, |end| end.duration_since(began).as_secs_f64().max(0.0));
        path.other_s += (path.total_s - covered).max(0.0);
        path
    }

    fn add(&mut self, step: PathStep) {
        self.worked_s += step.worked_s;
        match &step.held_by {
            Some(HeldBy::Lane { .. }) => self.lane_s += step.queued_s,
            Some(HeldBy::Slot { .. }) => self.slot_s += step.queued_s,
            _ => self.other_s += step.queued_s,
        }
        self.steps.push(step);
    }
}

/// The step that ended last, or in a run that goes on the one that has run for longest.
fn last(view: &RunView) -> Option<(&StepId, &StepView)> {
    if let Some(first) = view.longest_running().into_iter().next() {
        return Some(first);
    }
    let ran = view.steps.iter().filter(|(_, step)| step.started.is_some());
    ran.max_by_key(|(id, step)| (step.ended, *id))
}

fn one(view: &RunView, id: &StepId, step: &StepView) -> PathStep {
    let seconds = |from: Option<jiff::Timestamp>, to: Option<jiff::Timestamp>| {
        from.zip(to).map_or(0.0, |(from, to)| to.duration_since(from).as_secs_f64().max(0.0))
    };
    let queued_s = seconds(step.ready_at, step.started);
    PathStep {
        step: id.clone(),
        queued_s,
        held_by: step.held_by.clone().filter(|_| queued_s > 0.0),
        worked_s: seconds(step.started, step.ended.or(view.at)),
    }
}

fn before<'a>(view: &'a RunView, shape: &Shape, id: &StepId, step: &StepView) -> Option<(&'a StepId, &'a StepView)> {
    if let Some(last) = &step.last_need {
        return view.steps.get_key_value(last);
    }
    if step.ready_at.is_some() {
        return None;
    }
    let needs = &shape.step(shape.place(id)?)?.needs;
    let ended = needs.iter().filter_map(|need| view.steps.get_key_value(&shape.step(*need)?.id));
    ended.max_by_key(|(id, step)| (step.ended, *id))
}
