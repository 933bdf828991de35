//! What if: the schedule played again on the durations that were recorded, with another number of steps at once.

use crate::graph::Shape;
use crate::schedule::{Millis, Schedule, Took};
use jiff::Timestamp;
use plinth_model::RunView;
use plinth_model::run::{StepState, StepView};
use serde::Serialize;

/// A schedule played again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Steps at once.
    pub parallel: usize,
    /// Seconds it would have taken.
    pub seconds: f64,
    /// Seconds that the run took.
    pub recorded_s: f64,
    /// Steps that were played; what did not run has no duration.
    pub steps: usize,
    /// Steps of the plan that were left out of it.
    pub left_out: usize,
}

/// Plays it. None when the plan is not known.
#[must_use]
pub fn replay(view: &RunView, shape: &Shape, parallel: usize) -> Option<Replay> {
    if shape.is_empty() {
        return None;
    }
    let took = durations(view, shape);
    let end = Schedule::of(shape).play(&took, &[], parallel).end;
    let steps = took.iter().flatten().count();
    let recorded_s = view.end.as_ref().map_or_else(|| view.elapsed(), |end| end.seconds);
    let left_out = shape.steps().len().saturating_sub(steps);
    Some(Replay { parallel, seconds: end as f64 / 1000.0, recorded_s, steps, left_out })
}

/// Of the steps that ran, or were skipped.
fn durations(view: &RunView, shape: &Shape) -> Vec<Option<Took>> {
    let of = |place: usize| {
        let step = view.steps.get(&shape.step(place)?.id)?;
        match (step.state, step.started, step.ended) {
            (StepState::Skipped, _, _) => Some(Took::of(0)),
            (state, Some(from), Some(to)) if state.is_ended() => Some(took(step, (from, to), shape.only_waits(place))),
            _ => None,
        }
    };
    (0..shape.steps().len()).map(of).collect()
}

/// A step that only waits ends when what it waits for is there. That began to come when the last of what it needs was done, so where the
/// step itself begins later, it waits for less.
fn took(step: &StepView, (from, to): (Timestamp, Timestamp), only_waits: bool) -> Took {
    let own = millis(from, to);
    match step.ready_at {
        Some(ready) if only_waits && step.attempt > 0 => Took { own: 0, after_ready: Some(millis(ready, to)) },
        _ => Took::of(own),
    }
}

fn millis(from: Timestamp, to: Timestamp) -> Millis {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}
