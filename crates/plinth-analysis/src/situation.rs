//! Where the steps of a run stand, by their places in its plan.

use crate::graph::Shape;
use plinth_model::run::StepState;
use plinth_model::{RunView, StepId};
use std::collections::{BTreeSet, HashMap};

/// Where the steps of a shape stand: all that a reason depends on.
#[derive(Clone, Debug)]
pub struct Situation {
    /// State of each step, by place.
    pub states: Vec<StepState>,
    /// Places of what failed in passing and is tried again.
    pub again: BTreeSet<usize>,
    /// Steps that may run at once.
    pub slots: usize,
    /// Nothing new begins.
    pub stopping: bool,
}

impl Situation {
    /// As the newest event left it. Where the run does not say how many steps may run at once, any number may.
    #[must_use]
    pub fn of(view: &RunView, shape: &Shape) -> Self {
        let slots = view.run.as_ref().map_or(0, |run| run.parallel);
        let is_again = |id: &StepId| {
            let step = view.steps.get(id).filter(|step| step.state.is_running());
            step.is_some_and(|step| step.waits.is_some() || (step.state == StepState::Acting && step.attempt > 1))
        };
        let places = shape.steps().iter().enumerate();
        Self {
            states: shape.steps().iter().map(|step| view.state_of(&step.id)).collect(),
            again: places.filter(|(_, step)| is_again(&step.id)).map(|(place, _)| place).collect(),
            slots: if slots == 0 { usize::MAX } else { slots },
            stopping: view.stopping.is_some() || view.end.is_some(),
        }
    }

    pub(crate) fn state(&self, place: usize) -> StepState {
        self.states.get(place).copied().unwrap_or_default()
    }

    pub(crate) fn running(&self) -> usize {
        self.states.iter().filter(|state| state.is_running()).count()
    }

    /// Who runs in each lane.
    pub(crate) fn lanes<'a>(&self, shape: &'a Shape) -> HashMap<&'a str, usize> {
        let running = shape.steps().iter().enumerate().filter(|(index, _)| self.state(*index).is_running());
        running.filter_map(|(index, step)| Some((step.lane.as_deref()?, index))).collect()
    }
}
