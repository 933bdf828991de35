//! Which step may start: needs, lanes, the global limit. Every call costs at most a logarithm per step it moves.

use super::graph::Graph;
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
}

#[derive(Clone, Default)]
struct Lane {
    busy: bool,
    waiting: BTreeSet<Priority>,
}

impl Queue {
    /// A queue over a graph that lets `limit` steps run together, at least one.
    pub(crate) fn new(graph: &Graph<'_>, limit: usize) -> Self {
        let missing = graph.needs.clone();
        let free = missing.iter().enumerate().filter(|(_, missing)| **missing == 0);
        let ready = free.map(|(index, _)| priority(graph, index)).collect();
        let lanes = vec![Lane::default(); graph.lane_count];
        Self { missing, ready, lanes, running: 0, limit: limit.max(1) }
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

    /// The step runs no more.
    pub(crate) fn leave(&mut self, graph: &Graph<'_>, index: usize) {
        self.running = self.running.saturating_sub(1);
        let next = self.lane(graph, index).and_then(|lane| {
            lane.busy = false;
            lane.waiting.pop_first()
        });
        self.ready.extend(next);
    }

    /// The step is satisfied: what needs it comes nearer.
    pub(crate) fn satisfy(&mut self, graph: &Graph<'_>, index: usize) {
        for &dependent in graph.dependents.get(index).into_iter().flatten() {
            if let Some(missing) = self.missing.get_mut(dependent) {
                *missing -= 1;
                if *missing == 0 {
                    self.ready.insert(priority(graph, dependent));
                }
            }
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
