//! Building one step.

use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::plan::{Change, Condition, Step};
use plinth_model::{StepId, Work};
use std::collections::HashSet;
use std::sync::Arc;

/// A step that needs nothing.
pub(crate) fn step(id: StepId, work: impl Into<Work>, reason: impl Into<Arc<str>>) -> Step {
    Step { id, work: work.into(), needs: Vec::new(), reason: reason.into(), change: Change::Check, when: None }
}

/// Steps that no other one of the list needs: all of the list is done when these are.
pub(crate) fn leaves(steps: &[Step]) -> Vec<StepId> {
    let needed: HashSet<&StepId> = steps.iter().flat_map(|step| &step.needs).collect();
    steps.iter().map(|step| &step.id).filter(|id| !needed.contains(id)).cloned().collect()
}

/// Says more about a step.
pub(crate) trait Refine: Sized {
    /// Adds needs; one that is there already is not added again.
    fn needing(self, needs: impl IntoIterator<Item = StepId>) -> Self;
    /// Makes it depend on a gate.
    fn when(self, gate: GateId, answer: GateAnswer) -> Self;
}

impl Refine for Step {
    fn needing(mut self, needs: impl IntoIterator<Item = StepId>) -> Self {
        let mut seen: HashSet<StepId> = self.needs.iter().cloned().collect();
        self.needs.extend(needs.into_iter().filter(|need| seen.insert(need.clone())));
        self
    }

    fn when(mut self, gate: GateId, answer: GateAnswer) -> Self {
        self.when = Some(Condition { gate, answer });
        self
    }
}
