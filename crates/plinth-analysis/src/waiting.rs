//! Why is it waiting: each step that does not run has exactly one reason, followed to its root.

use crate::graph::Shape;
use crate::kinds::kind_of;
use crate::roots::{NEVER, NOTHING, Rank, Root};
use crate::situation::Situation;
use jiff::Timestamp;
use plinth_model::run::{HeldBy, Interrupted, StepState, StepView};
use plinth_model::{RunView, StepId};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The one reason why a step that has not begun does not begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing: it begins at once.
    None,
    /// It needs the step at this place, which has not ended well.
    Need(usize),
    /// The step at this place is in its lane.
    Lane(usize),
    /// Every slot is taken.
    Slot,
    /// The run stops.
    Stop,
}

impl Situation {
    /// Reasons of every step that has not begun. One pass over needs, however many steps there are. Of several needs that are not met it
    /// is the one whose root is of most weight: what fails and is tried again, then what most steps wait for.
    #[must_use]
    pub fn reasons(&self, shape: &Shape) -> Vec<Option<Reason>> {
        let lanes = self.lanes(shape);
        let full = self.running() >= self.slots;
        let ranks = self.ranks(shape, &lanes);
        let mut weights: Vec<Rank> = Vec::with_capacity(shape.steps().len());
        let mut reasons = Vec::with_capacity(shape.steps().len());
        for place in 0..shape.steps().len() {
            let pending = self.state(place) == StepState::Pending;
            let reason = pending.then(|| self.reason(shape, place, ((&lanes, full), &weights)));
            weights.push(match (&reason, self.state(place)) {
                (Some(Reason::Need(need)), _) => weights.get(*need).copied().unwrap_or(NOTHING),
                (Some(Reason::Lane(holder)), _) => ranks.get(holder).copied().unwrap_or(NOTHING),
                (None, StepState::Failed | StepState::NotRun | StepState::Unknown) => NEVER,
                (None, _) => ranks.get(&place).copied().unwrap_or(NOTHING),
                (Some(_), _) => NOTHING,
            });
            reasons.push(reason);
        }
        reasons
    }

    fn reason(
        &self,
        shape: &Shape,
        index: usize,
        ((lanes, full), weights): ((&HashMap<&str, usize>, bool), &[Rank]),
    ) -> Reason {
        let Some(step) = shape.step(index) else { return Reason::None };
        if self.stopping {
            return Reason::Stop;
        }
        let unmet = step.needs.iter().copied().filter(|need| !self.state(*need).is_done());
        // Of what waits for the same, what runs is nearer to its end than what has not begun.
        let weight = |need: usize| (weights.get(need).copied(), !self.state(need).is_running(), need);
        if let Some(need) = unmet.min_by_key(|need| weight(*need)) {
            return Reason::Need(need);
        }
        match step.lane.as_deref().and_then(|lane| lanes.get(lane)) {
            Some(holder) => Reason::Lane(*holder),
            None if full => Reason::Slot,
            None => Reason::None,
        }
    }
}

/// How many slots a kind of step holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Busy {
    /// `nodes/prepare`.
    pub kind: String,
    /// How many run.
    pub running: usize,
}

/// Why a step does not run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// A step of the plan that has not begun, or that the run left out.
    pub step: StepId,
    /// The reason; null: it begins at once.
    pub held_by: Option<HeldBy>,
    /// From what it needs to the root: the last one is at work, failed, or waits for something else itself.
    pub chain: Vec<StepId>,
    /// The step at work whose end it waits for in the end, over needs and lanes; null: it waits for a slot, begins at once, or will not run.
    pub root: Option<Root>,
    /// Where the last one of the chain stands.
    pub root_state: StepState,
    /// Seconds since the root began, or since the step was ready.
    pub seconds: Option<f64>,
    /// Why the root itself does not run, if it does not.
    pub root_held_by: Option<HeldBy>,
    /// Who holds the lane or the slots that it, or its root, waits for: the one step in the lane; of the slots those that have run for
    /// longest, [`HOLDERS`] at most. The end of any of them is what it waits for.
    pub holders: Vec<StepId>,
    /// When the root is tried again, while it waits for that after a failure in passing.
    pub root_next_at: Option<Timestamp>,
    /// Where the root, or without a chain the step itself, was when the run broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<Interrupted>,
}

/// Steps that are named of those that hold the slots.
pub const HOLDERS: usize = 3;

/// Every step of the plan that has not begun, will not run, or was interrupted, with its reason, in the order of the plan. What is in a
/// retry runs. `now`: by the run's clock.
#[must_use]
pub fn waiting(view: &RunView, shape: &Shape, now: Timestamp) -> Vec<Waiting> {
    let now = now.max(view.at.unwrap_or(now));
    let situation = Situation::of(view, shape);
    let reasons = situation.reasons(shape);
    let longest: Vec<StepId> = view.longest_running().into_iter().take(HOLDERS).map(|(id, _)| id.clone()).collect();
    let told = shape.steps().iter().enumerate().filter_map(|(index, step)| match situation.state(index) {
        StepState::Pending => Some(pending((view, now), shape, (&reasons, &longest), index)),
        StepState::NotRun | StepState::Unknown => Some(left_out(view, &step.id)),
        _ => None,
    });
    told.collect()
}

impl Busy {
    /// Who has the slots now, most first.
    #[must_use]
    pub fn of(view: &RunView) -> Vec<Self> {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        view.running.iter().for_each(|id| *kinds.entry(kind_of(id)).or_default() += 1);
        let mut busy: Vec<Self> = kinds.into_iter().map(|(kind, running)| Self { kind, running }).collect();
        busy.sort_by(|a, b| b.running.cmp(&a.running).then_with(|| a.kind.cmp(&b.kind)));
        busy
    }
}

fn pending(
    (view, now): (&RunView, Timestamp),
    shape: &Shape,
    (reasons, longest): (&[Option<Reason>], &[StepId]),
    index: usize,
) -> Waiting {
    let id = |place: usize| shape.step(place).map(|step| step.id.clone());
    let held = |place: usize| held_by(view, shape, place, reasons.get(place).cloned().flatten());
    let mut chain = Vec::new();
    let mut at = index;
    while let Some(Some(Reason::Need(need))) = reasons.get(at) {
        at = *need;
        chain.extend(id(at));
    }
    let last = id(at);
    let state = last.as_ref().map_or(StepState::Pending, |last| view.state_of(last));
    let since = match at == index {
        true => shape.step(index).and_then(|step| ready_since(view, shape, step)),
        false => last.as_ref().and_then(|last| view.steps.get(last)?.started),
    };
    let seconds = since.map(|since| now.duration_since(since).as_secs_f64().max(0.0));
    let root_held_by = if at == index { None } else { held(at) };
    let holders = match reasons.get(at) {
        Some(Some(Reason::Lane(holder))) => id(*holder).into_iter().collect(),
        Some(Some(Reason::Slot)) => longest.to_vec(),
        _ => Vec::new(),
    };
    let root = match reasons.get(at) {
        Some(Some(Reason::Lane(holder))) => id(*holder),
        _ => last.clone(),
    };
    let root = root.and_then(|root| Root::of(view, &root, now));
    let interrupted = last.as_ref().and_then(|last| view.steps.get(last)?.interrupted());
    let next = last.filter(|_| root.as_ref().is_some_and(|root| root.again.as_ref().is_some_and(|a| a.in_s.is_some())));
    Waiting {
        holders,
        root_next_at: next.and_then(|last| view.steps.get(&last)?.next_at),
        root,
        interrupted,
        step: id(index).unwrap_or_else(|| StepId::new("", "", "")),
        held_by: held(index),
        chain,
        root_state: state,
        seconds,
        root_held_by,
    }
}

/// When the last of what it needs was done.
fn ready_since(view: &RunView, shape: &Shape, step: &crate::ShapeStep) -> Option<Timestamp> {
    let ends = step.needs.iter().filter_map(|need| view.steps.get(&shape.step(*need)?.id)?.ended);
    ends.max().or(view.started)
}

fn held_by(view: &RunView, shape: &Shape, index: usize, reason: Option<Reason>) -> Option<HeldBy> {
    let step = shape.step(index)?;
    match reason? {
        Reason::None => None,
        Reason::Stop => Some(HeldBy::Stop),
        Reason::Slot => Some(HeldBy::Slot { slots: view.run.as_ref().map_or(0, |run| run.parallel) }),
        Reason::Lane(_) => Some(HeldBy::Lane { lane: step.lane.clone().unwrap_or_default() }),
        Reason::Need(need) => {
            let id = shape.step(need)?.id.clone();
            Some(match &step.gate {
                Some((gate, _, opener)) if *opener == need => HeldBy::Gate { gate: gate.clone(), step: id },
                _ => HeldBy::Need { step: id },
            })
        }
    }
}

/// A step that will not run: the run said why, and of whom it said that, likewise.
fn left_out(view: &RunView, id: &StepId) -> Waiting {
    let held = |id: &StepId| view.steps.get(id).and_then(|step| step.held_by.clone());
    let interrupted = |id: &StepId| view.steps.get(id).and_then(StepView::interrupted);
    // What held it before it began says nothing of why it has not ended.
    let (held_by, mut chain, mut root) = (held(id).filter(|_| interrupted(id).is_none()), Vec::new(), id.clone());
    while let Some(HeldBy::Need { step }) = held(&root).filter(|_| interrupted(&root).is_none()) {
        if view.state_of(&root) != StepState::NotRun || chain.contains(&step) || step == *id {
            break;
        }
        chain.push(step.clone());
        root = step;
    }
    let root_state = view.state_of(&root);
    let root_held_by = held(&root).filter(|_| root != *id && root_state == StepState::NotRun);
    let (holders, root_next_at, interrupted) = (Vec::new(), None, interrupted(&root));
    Waiting {
        step: id.clone(),
        held_by,
        chain,
        root: None,
        root_state,
        seconds: None,
        root_held_by,
        holders,
        root_next_at,
        interrupted,
    }
}

#[cfg(test)]
#[path = "waiting_tests.rs"]
mod tests;
