//! The plan as indices: who needs whom, who shares a lane, who opens which gate.

use plinth_model::gate::GateId;
use plinth_model::{Gate, Plan, Problem, Step, StepId};
use std::collections::HashMap;

/// The plan as indices. Building it costs time proportional to steps and needs.
pub(crate) struct Graph<'a> {
    /// Steps that need the step.
    pub(crate) dependents: Vec<Vec<usize>>,
    /// How many steps the step needs.
    pub(crate) needs: Vec<usize>,
    /// The lane of a step. Steps of one lane never run together: one lane per node, one per group of kinds that exclude each other.
    pub(crate) lanes: Vec<Option<usize>>,
    /// Seconds that the longest chain from the beginning of the step to the end of the plan usually takes.
    pub(crate) remaining: Vec<u64>,
    /// Number of lanes.
    pub(crate) lane_count: usize,
    lane_names: Vec<String>,
    gates: HashMap<&'a GateId, &'a Gate>,
}

impl<'a> Graph<'a> {
    /// Reads a plan.
    ///
    /// # Errors
    /// When a step is there twice, needs something that is not in front of it, or has an unknown gate: the plan was not made
    /// by plinth, or was changed by hand.
    pub(crate) fn of(plan: &'a Plan) -> Result<Self, Problem> {
        let gates: HashMap<&GateId, &Gate> = plan.gates.iter().map(|gate| (&gate.id, gate)).collect();
        let mut graph = Graph {
            dependents: vec![Vec::new(); plan.steps.len()],
            needs: vec![0; plan.steps.len()],
            lanes: Vec::with_capacity(plan.steps.len()),
            remaining: Vec::new(),
            lane_count: 0,
            lane_names: Vec::new(),
            gates,
        };
        let mut places: HashMap<&StepId, usize> = HashMap::with_capacity(plan.steps.len());
        let mut lanes: HashMap<String, usize> = HashMap::new();
        for (index, step) in plan.steps.iter().enumerate() {
            for need in graph.needed(step)? {
                let place = *places
                    .get(need)
                    .ok_or_else(|| refuse(step, format!("it needs {need}, which is not before it")))?;
                graph.dependents.get_mut(place).ok_or_else(|| refuse(step, "no place"))?.push(index);
                if let Some(count) = graph.needs.get_mut(index) {
                    *count += 1;
                }
            }
            if places.insert(&step.id, index).is_some() {
                return Err(refuse(step, "it is there twice"));
            }
            graph.lanes.push(step.lane().map(|name| {
                let next = lanes.len();
                *lanes.entry(name).or_insert_with_key(|name| {
                    graph.lane_names.push(name.clone());
                    next
                })
            }));
        }
        graph.lane_count = lanes.len();
        graph.remaining = remaining(plan, &graph.dependents);
        Ok(graph)
    }

    /// Needs, and the opener of the step's gate, each once.
    fn needed(&self, step: &'a Step) -> Result<Vec<&'a StepId>, Problem> {
        let mut needs: Vec<&StepId> = step.needs.iter().collect();
        if let Some(when) = &step.when {
            let gate = self.gate(&when.gate).ok_or_else(|| refuse(step, format!("gate {} is not there", when.gate)))?;
            needs.push(&gate.opened_by);
        }
        needs.sort_unstable();
        needs.dedup();
        Ok(needs)
    }

    /// What the lane of a step is called, if it has one.
    pub(crate) fn lane_name(&self, index: usize) -> Option<&str> {
        let lane = self.lanes.get(index).copied().flatten()?;
        self.lane_names.get(lane).map(String::as_str)
    }

    pub(crate) fn gate(&self, id: &GateId) -> Option<&'a Gate> {
        self.gates.get(id).copied()
    }
}

/// Seconds from the beginning of each step to the end of the longest chain of steps that need it.
fn remaining(plan: &Plan, dependents: &[Vec<usize>]) -> Vec<u64> {
    let mut remaining = vec![0; plan.steps.len()];
    for (index, step) in plan.steps.iter().enumerate().rev() {
        let after = dependents.get(index).into_iter().flatten();
        let longest = after.filter_map(|dependent| remaining.get(*dependent).copied()).max().unwrap_or(0);
        if let Some(seconds) = remaining.get_mut(index) {
            *seconds = longest + u64::from(step.work.properties().expected_s);
        }
    }
    remaining
}

fn refuse(step: &Step, happened: impl std::fmt::Display) -> Problem {
    Problem::while_doing("reading step")
        .to(&step.id)
        .wrong_input(happened)
        .try_this("make the plan again with `plinth plan`")
}
