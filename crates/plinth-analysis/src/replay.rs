//! What if: the schedule played again on the durations that were recorded, with another number of steps at once.

use crate::graph::Shape;
use plinth_model::run::StepState;
use plinth_model::{RunView, StepId};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

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

/// One more kind of ready step, as the executor's queue has it: the longest remaining path first, then the order of the plan.
type Priority = (Reverse<u64>, usize);

/// Milliseconds: times that can be ordered.
type Millis = u64;

/// Plays it. None when the plan is not known.
#[must_use]
pub fn replay(view: &RunView, shape: &Shape, parallel: usize) -> Option<Replay> {
    if shape.is_empty() {
        return None;
    }
    let took = durations(view);
    let end = Player::new(shape, &took, parallel.max(1)).play();
    let steps = took.len();
    let recorded_s = view.end.as_ref().map_or_else(|| view.elapsed(), |end| end.seconds);
    let left_out = shape.steps().len().saturating_sub(steps);
    Some(Replay { parallel, seconds: end as f64 / 1000.0, recorded_s, steps, left_out })
}

/// Of the steps that ran, or were skipped.
fn durations(view: &RunView) -> HashMap<&StepId, Millis> {
    let ran = view.steps.iter().filter_map(|(id, step)| match (step.state, step.started, step.ended) {
        (StepState::Skipped, _, _) => Some((id, 0)),
        (state, Some(from), Some(to)) if state.is_ended() => {
            Some((id, u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)))
        }
        _ => None,
    });
    ran.collect()
}

struct Player<'a> {
    shape: &'a Shape,
    took: Vec<Option<Millis>>,
    remaining: Vec<u64>,
    missing: Vec<usize>,
    dependents: Vec<Vec<usize>>,
    ready: BTreeSet<Priority>,
    /// Steps that wait for a lane, and the lanes that are taken.
    lanes: BTreeMap<&'a str, BTreeSet<Priority>>,
    running: BinaryHeap<Reverse<(Millis, usize)>>,
    parallel: usize,
}

impl<'a> Player<'a> {
    fn new(shape: &'a Shape, took: &HashMap<&StepId, Millis>, parallel: usize) -> Self {
        let took: Vec<Option<Millis>> = shape.steps().iter().map(|step| took.get(&step.id).copied()).collect();
        let dependents = shape.dependents();
        let is_played = |place: &usize| took.get(*place).copied().flatten().is_some();
        let missing: Vec<usize> =
            shape.steps().iter().map(|step| step.needs.iter().filter(|need| is_played(need)).count()).collect();
        let mut remaining = vec![0; shape.steps().len()];
        for (index, step) in shape.steps().iter().enumerate().rev() {
            let after = dependents.get(index).into_iter().flatten().filter_map(|next| remaining.get(*next).copied());
            let longest: u64 = after.max().unwrap_or(0);
            if let Some(slot) = remaining.get_mut(index) {
                *slot = longest + step.expected_s;
            }
        }
        let (ready, lanes, running) = (BTreeSet::new(), BTreeMap::new(), BinaryHeap::new());
        let mut player = Self { shape, took, remaining, missing, dependents, ready, lanes, running, parallel };
        for index in 0..shape.steps().len() {
            player.ready_if_free(index);
        }
        player
    }

    fn play(&mut self) -> Millis {
        let mut now = 0;
        self.fill(now);
        while let Some(Reverse((at, index))) = self.running.pop() {
            now = at;
            self.ends(index);
            // Everything that ends at this moment ends before anything begins.
            while let Some(Reverse((next, index))) = self.running.peek().copied()
                && next == now
            {
                self.running.pop();
                self.ends(index);
            }
            self.fill(now);
        }
        now
    }

    fn fill(&mut self, now: Millis) {
        while self.running.len() < self.parallel {
            let Some((left, index)) = self.ready.pop_first() else { return };
            if let Some(lane) = self.lane(index) {
                if let Some(waiting) = self.lanes.get_mut(lane) {
                    waiting.insert((left, index));
                    continue;
                }
                self.lanes.insert(lane, BTreeSet::new());
            }
            let took = self.took.get(index).copied().flatten().unwrap_or(0);
            self.running.push(Reverse((now + took, index)));
        }
    }

    fn ends(&mut self, index: usize) {
        if let Some(waiting) = self.lane(index).and_then(|lane| self.lanes.remove(lane)) {
            // The first gets the lane when it is its turn; the others wait behind it again.
            self.ready.extend(waiting);
        }
        for dependent in self.dependents.get(index).cloned().unwrap_or_default() {
            if let Some(missing) = self.missing.get_mut(dependent) {
                *missing = missing.saturating_sub(1);
            }
            self.ready_if_free(dependent);
        }
    }

    fn ready_if_free(&mut self, index: usize) {
        let is_played = self.took.get(index).copied().flatten().is_some();
        if is_played && self.missing.get(index) == Some(&0) {
            self.ready.insert((Reverse(self.remaining.get(index).copied().unwrap_or(0)), index));
        }
    }

    fn lane(&self, index: usize) -> Option<&'a str> {
        self.shape.step(index)?.lane.as_deref()
    }
}
