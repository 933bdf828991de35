//! Who is waited for: what runs, each with all that stands behind it at any distance. What fails and is tried again comes before what runs
//! well: it is what somebody can do something about.

use crate::graph::Shape;
use crate::situation::Situation;
use jiff::Timestamp;
use plinth_model::run::{StepState, StepView};
use plinth_model::{RunView, StepId};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;

/// A step at work that others wait for in the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    /// Which one; it runs.
    pub step: StepId,
    /// Whether its effect has begun; else it is looked at, or waits for something itself.
    pub acts: bool,
    /// Seconds it has run.
    pub seconds: f64,
    /// What it ran into, as long as it is tried again for that.
    pub again: Option<Again>,
}

/// A step that failed in passing and is tried again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Again {
    /// The attempt that is on or comes next; 2 is the first that repeats another.
    pub attempt: u32,
    /// Seconds until it begins; none: it is on.
    pub in_s: Option<f64>,
    /// What the attempt before it ran into.
    pub message: String,
}

impl Again {
    /// Of a step that waits for its next attempt, or is at it; none of one that has not failed, or whose effect has begun since. A look that
    /// is repeated tells nobody that it begins: only the time says so. `now`: by the run's clock.
    #[must_use]
    pub fn of(step: &StepView, now: Timestamp) -> Option<Self> {
        let message = step.waits.clone().filter(|_| step.state.is_running())?;
        let in_s = step.next_at.map(|next| next.duration_since(now).as_secs_f64()).filter(|left| *left > 0.0);
        Some(Self { attempt: step.retries + 1, in_s, message })
    }
}

impl Root {
    pub(crate) fn of(view: &RunView, id: &StepId, now: Timestamp) -> Option<Self> {
        let step = view.steps.get(id).filter(|step| step.state.is_running())?;
        let seconds = step.started.map_or(0.0, |from| now.duration_since(from).as_secs_f64().max(0.0));
        let acts = step.state == StepState::Acting;
        Some(Self { step: id.clone(), acts, seconds, again: Again::of(step, now) })
    }
}

/// Weight of what a step waits for; smaller comes first.
pub(crate) type Rank = usize;
/// What will never be done: whoever needs it does not wait for anything else.
pub(crate) const NEVER: Rank = 0;
/// What waits for nothing that runs.
pub(crate) const NOTHING: Rank = usize::MAX;

impl Situation {
    /// Ranks of what runs, by place: first what is tried again, then what most steps wait for, then what began first in the plan.
    pub(crate) fn ranks(&self, shape: &Shape, lanes: &HashMap<&str, usize>) -> HashMap<usize, Rank> {
        let places = 0..shape.steps().len();
        let running: Vec<usize> = places.filter(|place| self.state(*place).is_running()).collect();
        let behind = self.behind(shape, lanes, &running);
        let mut order: Vec<(usize, usize)> = running.into_iter().zip(behind).collect();
        // Whom nobody waits for holds nobody up, however it fares.
        order.sort_by_key(|(place, behind)| (*behind == 0, !self.again.contains(place), Reverse(*behind), *place));
        order.into_iter().enumerate().map(|(rank, (place, _))| (place, NEVER + 1 + rank)).collect()
    }

    /// How many steps that have not begun stand behind each of these, at any distance. One pass: each step has a bit for each of them.
    fn behind(&self, shape: &Shape, lanes: &HashMap<&str, usize>, running: &[usize]) -> Vec<usize> {
        let bits: HashMap<usize, usize> = running.iter().enumerate().map(|(bit, place)| (*place, bit)).collect();
        let mut counts = vec![0_usize; running.len()];
        let mut reached: Vec<Vec<u64>> = Vec::with_capacity(shape.steps().len());
        for (place, step) in shape.steps().iter().enumerate() {
            let mut mine = Vec::new();
            if self.state(place) == StepState::Pending {
                let mut unmet = step.needs.iter().filter(|need| !self.state(**need).is_done()).peekable();
                if unmet.peek().is_none() {
                    let holder = step.lane.as_deref().and_then(|lane| bits.get(lanes.get(lane)?));
                    holder.iter().for_each(|bit| set(&mut mine, **bit));
                }
                for need in unmet {
                    bits.get(need).iter().for_each(|bit| set(&mut mine, **bit));
                    merge(&mut mine, reached.get(*need).map(Vec::as_slice).unwrap_or_default());
                }
                count(&mine, &mut counts);
            }
            reached.push(mine);
        }
        counts
    }
}

fn set(bits: &mut Vec<u64>, bit: usize) {
    let word = bit / 64;
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    if let Some(word) = bits.get_mut(word) {
        *word |= 1 << (bit % 64);
    }
}

fn merge(bits: &mut Vec<u64>, others: &[u64]) {
    if bits.len() < others.len() {
        bits.resize(others.len(), 0);
    }
    bits.iter_mut().zip(others).for_each(|(bits, others)| *bits |= others);
}

fn count(bits: &[u64], counts: &mut [usize]) {
    for (bits, counts) in bits.iter().zip(counts.chunks_mut(64)) {
        let mut left = *bits;
        while left != 0 {
            if let Some(count) = counts.get_mut(left.trailing_zeros() as usize) {
                *count += 1;
            }
            left &= left - 1;
        }
    }
}
