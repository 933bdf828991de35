//! Building one step.

use plinth_model::plan::{Change, Condition, Step, Undo};
use plinth_model::{Stage, StepId, Work};
use std::collections::HashSet;

/// A step that needs nothing and can be undone exactly.
pub(crate) fn step(id: StepId, stage: Stage, work: Work, deadline_s: u32, reason: impl Into<String>) -> Step {
    let target = work.node().map_or_else(|| id.target().to_owned(), |n| n.as_str().to_owned());
    Step {
        target,
        id,
        change: Change::Check,
        work,
        version: 1,
        stage,
        needs: Vec::new(),
        reason: reason.into(),
        when: None,
        once: false,
        destructive: None,
        undo: Undo::Exact,
        deadline_s,
    }
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
    /// Says how it could be undone.
    fn undo(self, undo: Undo) -> Self;
    /// Marks it as destructive.
    fn destroys(self, what: impl Into<String>) -> Self;
    /// Makes it depend on a gate.
    fn when(self, gate: String, answer: &str) -> Self;
    /// Its effect must not happen twice.
    fn once(self) -> Self;
}

impl Refine for Step {
    fn needing(mut self, needs: impl IntoIterator<Item = StepId>) -> Self {
        let mut seen: HashSet<StepId> = self.needs.iter().cloned().collect();
        self.needs.extend(needs.into_iter().filter(|need| seen.insert(need.clone())));
        self
    }

    fn undo(mut self, undo: Undo) -> Self {
        self.undo = undo;
        self
    }

    fn destroys(mut self, what: impl Into<String>) -> Self {
        self.destructive = Some(what.into());
        self
    }

    fn when(mut self, gate: String, answer: &str) -> Self {
        self.when = Some(Condition { gate, answer: answer.to_owned() });
        self
    }

    fn once(mut self) -> Self {
        self.once = true;
        self
    }
}
