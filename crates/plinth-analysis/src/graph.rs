//! The shape of a plan: who needs whom, who shares a lane. All that is asked of a plan to explain a run of it.

use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::plan::Change;
use plinth_model::{Plan, Stage, Step, StepId};
use std::collections::{BTreeSet, HashMap};

/// A step as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeStep {
    /// As in the plan; unique there.
    pub id: StepId,
    /// Places of what it needs, each once; the opener of its gate is one of them.
    pub needs: Vec<usize>,
    /// The lane in which it runs alone.
    pub lane: Option<String>,
    /// Its gate with the answer that lets it run, and the place of the step that opens it.
    pub gate: Option<(GateId, GateAnswer, usize)>,
    /// Seconds it usually takes: decides what is served first.
    pub expected_s: u64,
}

/// All steps of a plan, what is needed in front of what needs it.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    steps: Vec<ShapeStep>,
    places: HashMap<StepId, usize>,
    /// Steps that find nothing to do; those that wait for what others did; those that end unchanged in any case. Of a plan.
    unchanged: BTreeSet<usize>,
    waits: BTreeSet<usize>,
    looks: BTreeSet<usize>,
    /// Seconds after which an attempt of each step is given up. Of a plan.
    deadlines: Vec<u32>,
    /// Stage and node of each step. Of a plan.
    about: Vec<(Stage, Option<String>)>,
}

impl Shape {
    /// Of steps in order. Needs that are not in front of their step are left out.
    #[must_use]
    pub fn new(mut steps: Vec<ShapeStep>) -> Self {
        for (index, step) in steps.iter_mut().enumerate() {
            step.needs.retain(|need| *need < index);
        }
        let places = steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
        Self { steps, places, ..Self::default() }
    }

    /// Reads it off the steps and gates of a plan; how long a step usually takes is a property of its kind.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let places: HashMap<&StepId, usize> = plan.steps.iter().enumerate().map(|(at, step)| (&step.id, at)).collect();
        let gates: HashMap<&GateId, &StepId> = plan.gates.iter().map(|gate| (&gate.id, &gate.opened_by)).collect();
        let steps = plan.steps.iter().map(|step| {
            let mut needs: BTreeSet<usize> = step.needs.iter().filter_map(|need| places.get(need).copied()).collect();
            let gate = step.when.as_ref().and_then(|when| {
                let opener = *places.get(*gates.get(&when.gate)?)?;
                Some((when.gate.clone(), when.answer.clone(), opener))
            });
            needs.extend(gate.iter().map(|(_, _, opener)| *opener));
            ShapeStep {
                id: step.id.clone(),
                needs: needs.into_iter().collect(),
                lane: step.lane(),
                gate,
                expected_s: u64::from(step.work.properties().expected_s),
            }
        });
        let where_is = |is: fn(&Step) -> bool| {
            plan.steps.iter().enumerate().filter(|(_, step)| is(step)).map(|(at, _)| at).collect()
        };
        Self {
            unchanged: where_is(|step| matches!(step.change, Change::None | Change::Skip)),
            waits: where_is(|step| step.work.reads_only()),
            looks: where_is(|step| step.work.reads_only() || step.change == Change::Check),
            deadlines: plan.steps.iter().map(|step| step.work.deadline_s()).collect(),
            about: plan
                .steps
                .iter()
                .map(|step| (step.work.stage(), step.work.node().map(ToString::to_string)))
                .collect(),
            ..Self::new(steps.collect())
        }
    }

    /// Whether the step was found in the desired state, or left out by its gate, when the plan was made: it is looked at and no more.
    #[must_use]
    pub fn is_unchanged(&self, place: usize) -> bool {
        self.unchanged.contains(&place)
    }

    /// Whether the plan says that the step only looks, waits or proves: it ends unchanged although it may take long.
    #[must_use]
    pub fn only_looks(&self, place: usize) -> bool {
        self.looks.contains(&place)
    }

    /// Whether the step has no effect of its own: it looks, and waits for what it looks at.
    #[must_use]
    pub fn only_waits(&self, place: usize) -> bool {
        self.waits.contains(&place)
    }

    /// Seconds after which one attempt of a step is given up; none where the plan is not known.
    #[must_use]
    pub fn deadline_s(&self, id: &StepId) -> Option<u32> {
        self.deadlines.get(self.place(id)?).copied()
    }

    /// Every step with its stage and its node, in the order of the plan; nothing where the plan is not known.
    pub(crate) fn about(&self) -> impl Iterator<Item = (&StepId, Stage, Option<&String>)> {
        self.steps.iter().zip(&self.about).map(|(step, (stage, node))| (&step.id, *stage, node.as_ref()))
    }

    /// All steps, in the order of the plan.
    #[must_use]
    pub fn steps(&self) -> &[ShapeStep] {
        &self.steps
    }

    /// Where a step stands.
    #[must_use]
    pub fn place(&self, id: &StepId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// None when there is no such place.
    #[must_use]
    pub fn step(&self, place: usize) -> Option<&ShapeStep> {
        self.steps.get(place)
    }

    /// Whether there is no step: the plan is not known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Places of the steps that need each one.
    #[must_use]
    pub fn dependents(&self) -> Vec<Vec<usize>> {
        let mut dependents = vec![Vec::new(); self.steps.len()];
        for (index, step) in self.steps.iter().enumerate() {
            for need in &step.needs {
                if let Some(list) = dependents.get_mut(*need) {
                    list.push(index);
                }
            }
        }
        dependents
    }

    /// Everything that a step needs, at any distance (`up`), or that needs it (`down`), itself among them.
    #[must_use]
    pub fn reach(&self, id: &StepId, down: bool) -> BTreeSet<StepId> {
        let dependents = if down { self.dependents() } else { Vec::new() };
        let mut open: Vec<usize> = self.place(id).into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(at) = open.pop() {
            let Some(step) = self.step(at) else { continue };
            if found.insert(step.id.clone()) {
                open.extend(if down { dependents.get(at).cloned().unwrap_or_default() } else { step.needs.clone() });
            }
        }
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A step that needs those at these places.
    pub(crate) fn shape_step(id: &str, needs: &[usize], lane: Option<&str>) -> ShapeStep {
        let id = StepId::try_from(id.to_owned()).unwrap_or_else(|_| StepId::new("a", "b", "c"));
        ShapeStep { id, needs: needs.to_vec(), lane: lane.map(str::to_owned), gate: None, expected_s: 1 }
    }

    #[test]
    fn what_needs_a_step_at_any_distance_is_found_both_ways() {
        let shape = Shape::new(vec![
            shape_step("a/a/1", &[], None),
            shape_step("a/a/2", &[0], None),
            shape_step("a/a/3", &[1], None),
            shape_step("a/a/4", &[], None),
        ]);
        let ids = |found: BTreeSet<StepId>| found.into_iter().map(|id| id.target().to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(shape.reach(&StepId::new("a", "a", "2"), true)), ["2", "3"]);
        assert_eq!(ids(shape.reach(&StepId::new("a", "a", "2"), false)), ["1", "2"]);
    }
}
