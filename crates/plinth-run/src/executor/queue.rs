//! Which step may start: needs, lanes, the global limit. Every call costs at most a logarithm per step it moves.

use super::graph::Graph;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A step by its priority: the one with the longest remaining path first, then in the order of the plan.
type Priority = (Reverse<u64>, usize);

/// Steps that may start. What the end of the plan waits for longest goes first.
pub(crate) struct Queue {
    missing: Vec<usize>,
    ready: BTreeSet<Priority>,
    lanes: Vec<Lane>,
    running: usize,
    limit: usize,
    /// Counts the moments at which something ended.
    turn: u64,
    now: Timestamp,
    waits: Vec<Wait>,
}

#[derive(Clone, Default)]
struct Lane {
    busy: bool,
    waiting: BTreeSet<Priority>,
}

/// How a step came to wait for its start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wait {
    /// When everything it needs was done; none while something is missing.
    pub(crate) ready_at: Option<Timestamp>,
    /// The one it needs that was done last.
    pub(crate) last_need: Option<usize>,
    /// The turn in which it came to where it waits now, and what had held it until then.
    since: u64,
    before: Held,
}

/// What holds a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing.
    #[default]
    Free,
    Need,
    Lane,
    /// The limit.
    Slot,
}

impl Queue {
    /// A queue over a graph that lets `limit` steps run together, at least one.
    pub(crate) fn new(graph: &Graph<'_>, limit: usize, now: Timestamp) -> Self {
        let missing = graph.needs.clone();
        let free = missing.iter().enumerate().filter(|(_, missing)| **missing == 0);
        let ready = free.map(|(index, _)| priority(graph, index)).collect();
        let lanes = vec![Lane::default(); graph.lane_count];
        let ready_at = |missing: &usize| (*missing == 0).then_some(now);
        let waits = missing.iter().map(|missing| Wait { ready_at: ready_at(missing), ..Wait::default() }).collect();
        Self { missing, ready, lanes, running: 0, limit: limit.max(1), turn: 0, now, waits }
    }

    /// Something ended: what may start by that begins in this turn. What was ready before and starts now, waited for a slot.
    pub(crate) fn turn(&mut self, now: Timestamp) {
        self.turn += 1;
        self.now = now;
    }

    /// The next step that may start, if any. It holds its lane and its place until [`Queue::leave`].
    pub(crate) fn next(&mut self, graph: &Graph<'_>) -> Option<usize> {
        while self.running < self.limit {
            let (left, index) = self.ready.pop_first()?;
            match self.lane(graph, index) {
                Some(lane) if lane.busy => {
                    lane.waiting.insert((left, index));
                    continue;
                }
                Some(lane) => lane.busy = true,
                None => {}
            }
            self.running += 1;
            return Some(index);
        }
        None
    }

    /// How the step came to wait, and what held it last, when it starts in this turn.
    pub(crate) fn held(&self, index: usize) -> (Wait, Held) {
        let wait = self.waits.get(index).copied().unwrap_or_default();
        let held = if wait.since == self.turn { wait.before } else { Held::Slot };
        (wait, held)
    }

    /// Steps that could run and do not, and of those the one that has been ready for longest.
    pub(crate) fn waiting(&self) -> (usize, Option<(usize, Timestamp)>) {
        let all = || self.ready.iter().chain(self.lanes.iter().flat_map(|lane| &lane.waiting));
        let since = |(_, index): &Priority| Some((self.waits.get(*index)?.ready_at?, *index));
        (all().count(), all().filter_map(since).min().map(|(at, index)| (index, at)))
    }

    /// How many run, and how many may.
    pub(crate) const fn slots(&self) -> (usize, usize) {
        (self.running, self.limit)
    }

    /// The step runs no more.
    pub(crate) fn leave(&mut self, graph: &Graph<'_>, index: usize) {
        self.running = self.running.saturating_sub(1);
        let next = self.lane(graph, index).and_then(|lane| {
            lane.busy = false;
            lane.waiting.pop_first()
        });
        if let Some((_, freed)) = next {
            self.comes(freed, Held::Lane);
        }
        self.ready.extend(next);
    }

    /// The step is satisfied: what needs it comes nearer.
    pub(crate) fn satisfy(&mut self, graph: &Graph<'_>, index: usize) {
        for &dependent in graph.dependents.get(index).into_iter().flatten() {
            if let Some(missing) = self.missing.get_mut(dependent) {
                *missing -= 1;
                if *missing == 0 {
                    self.ready.insert(priority(graph, dependent));
                    self.comes(dependent, Held::Need);
                    self.needed(dependent, index);
                }
            }
        }
    }

    fn comes(&mut self, index: usize, before: Held) {
        let turn = self.turn;
        if let Some(wait) = self.waits.get_mut(index) {
            (wait.since, wait.before) = (turn, before);
        }
    }

    fn needed(&mut self, index: usize, last: usize) {
        let now = self.now;
        if let Some(wait) = self.waits.get_mut(index) {
            (wait.ready_at, wait.last_need) = (Some(now), Some(last));
        }
    }

    fn lane(&mut self, graph: &Graph<'_>, index: usize) -> Option<&mut Lane> {
        let lane = graph.lanes.get(index).copied().flatten()?;
        self.lanes.get_mut(lane)
    }
}

fn priority(graph: &Graph<'_>, index: usize) -> Priority {
    (Reverse(graph.remaining.get(index).copied().unwrap_or(0)), index)
}
