//! The schedule of a run, played without running anything: the same needs, lanes, slots and order as the executor's queue.

use crate::graph::Shape;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Milliseconds: times that can be ordered.
pub(crate) type Millis = u64;

/// A ready step, as the executor's queue has it: the longest remaining path first, then the order of the plan.
type Priority = (Reverse<u64>, usize);

/// How long a step takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Took {
    /// From its beginning.
    pub(crate) own: Millis,
    /// What it only waits for comes so long after the step was ready, whenever it begins itself.
    pub(crate) after_ready: Option<Millis>,
}

impl Took {
    /// Takes so long from its beginning.
    pub(crate) const fn of(own: Millis) -> Self {
        Self { own, after_ready: None }
    }

    fn end(self, ready: Millis, now: Millis) -> Millis {
        (now + self.own).max(self.after_ready.map_or(0, |after| ready + after))
    }
}

/// What never changes between two plays of a plan.
pub(crate) struct Schedule<'a> {
    shape: &'a Shape,
    remaining: Vec<u64>,
    dependents: Vec<Vec<usize>>,
}

/// When steps began and ended in a play; none for those that were not played.
pub(crate) struct Played {
    pub(crate) began: Vec<Option<Millis>>,
    pub(crate) ended: Vec<Option<Millis>>,
    /// When the last one ended.
    pub(crate) end: Millis,
}

impl<'a> Schedule<'a> {
    pub(crate) fn of(shape: &'a Shape) -> Self {
        let dependents = shape.dependents();
        let mut remaining = vec![0; shape.steps().len()];
        for (index, step) in shape.steps().iter().enumerate().rev() {
            let after = dependents.get(index).into_iter().flatten().filter_map(|next| remaining.get(*next).copied());
            let longest: u64 = after.max().unwrap_or(0);
            if let Some(slot) = remaining.get_mut(index) {
                *slot = longest + step.expected_s;
            }
        }
        Self { shape, remaining, dependents }
    }

    /// Seconds that the longest chain from the beginning of the step to the end of the plan usually takes.
    pub(crate) fn remaining(&self, place: usize) -> u64 {
        self.remaining.get(place).copied().unwrap_or(0)
    }

    /// Plays it from the moment at which these run. What has no time is over: nothing waits for it.
    pub(crate) fn play(&self, took: &[Option<Took>], running: &[usize], parallel: usize) -> Played {
        Player::new(self, took, parallel.max(1)).play(running)
    }
}

struct Player<'a> {
    schedule: &'a Schedule<'a>,
    took: &'a [Option<Took>],
    missing: Vec<usize>,
    ready_at: Vec<Millis>,
    ready: BTreeSet<Priority>,
    /// Lanes that are taken, with the steps that wait for them.
    lanes: BTreeMap<&'a str, BTreeSet<Priority>>,
    running: BinaryHeap<Reverse<(Millis, usize)>>,
    parallel: usize,
    played: Played,
}

impl<'a> Player<'a> {
    fn new(schedule: &'a Schedule<'a>, took: &'a [Option<Took>], parallel: usize) -> Self {
        let steps = schedule.shape.steps();
        let is_played = |place: &usize| took.get(*place).copied().flatten().is_some();
        let missing = steps.iter().map(|step| step.needs.iter().filter(|need| is_played(need)).count()).collect();
        Self {
            schedule,
            took,
            missing,
            ready_at: vec![0; steps.len()],
            ready: BTreeSet::new(),
            lanes: BTreeMap::new(),
            running: BinaryHeap::new(),
            parallel,
            played: Played { began: vec![None; steps.len()], ended: vec![None; steps.len()], end: 0 },
        }
    }

    fn play(mut self, running: &[usize]) -> Played {
        for index in running {
            if let Some(lane) = self.lane(*index) {
                self.lanes.insert(lane, BTreeSet::new());
            }
            self.begins(*index, 0);
        }
        for index in 0..self.missing.len() {
            self.ready_if_free(index, 0);
        }
        self.fill(0);
        let mut now = 0;
        while let Some(Reverse((at, index))) = self.running.pop() {
            now = at;
            self.ends(index, now);
            // Everything that ends at this moment ends before anything begins.
            while let Some(Reverse((next, index))) = self.running.peek().copied()
                && next == now
            {
                self.running.pop();
                self.ends(index, now);
            }
            self.fill(now);
        }
        self.played.end = now;
        self.played
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
            self.begins(index, now);
        }
    }

    fn begins(&mut self, index: usize, now: Millis) {
        let took = self.took.get(index).copied().flatten().unwrap_or_default();
        let end = took.end(self.ready_at.get(index).copied().unwrap_or(0), now);
        self.running.push(Reverse((end, index)));
        set(&mut self.played.began, index, Some(now));
        set(&mut self.played.ended, index, Some(end));
    }

    fn ends(&mut self, index: usize, now: Millis) {
        if let Some(waiting) = self.lane(index).and_then(|lane| self.lanes.remove(lane)) {
            // The first gets the lane when it is its turn; the others wait behind it again.
            self.ready.extend(waiting);
        }
        let schedule = self.schedule;
        for dependent in schedule.dependents.get(index).into_iter().flatten() {
            if let Some(missing) = self.missing.get_mut(*dependent) {
                *missing = missing.saturating_sub(1);
            }
            self.ready_if_free(*dependent, now);
        }
    }

    fn ready_if_free(&mut self, index: usize, now: Millis) {
        let is_played = self.took.get(index).copied().flatten().is_some();
        let has_begun = self.played.began.get(index).copied().flatten().is_some();
        if is_played && !has_begun && self.missing.get(index) == Some(&0) {
            set(&mut self.ready_at, index, now);
            self.ready.insert((Reverse(self.schedule.remaining(index)), index));
        }
    }

    fn lane(&self, index: usize) -> Option<&'a str> {
        self.schedule.shape.step(index)?.lane.as_deref()
    }
}

fn set<T>(of: &mut [T], index: usize, value: T) {
    if let Some(slot) = of.get_mut(index) {
        *slot = value;
    }
}
