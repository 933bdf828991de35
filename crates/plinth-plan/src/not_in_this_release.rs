//! Steps that a release cannot carry out: they stay in the plan and are marked, so that nobody is surprised by where a run ends.

use plinth_model::plan::{Change, Plan, Step};
use plinth_model::{Stage, Work};
use std::collections::HashMap;

/// Marks every step for which `lacks` names something, all that needs such a step, and what of the platform only prepares for one:
/// namespaces and secrets of releases that cannot be installed.
pub fn mark(plan: &mut Plan, lacks: impl Fn(&Work) -> Option<&'static str>) {
    let places: HashMap<_, _> = plan.steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
    let openers: HashMap<_, _> = plan.gates.iter().map(|gate| (gate.id.clone(), gate.opened_by.clone())).collect();
    let needed = |step: &Step| -> Vec<usize> {
        let opener = step.when.as_ref().and_then(|when| openers.get(&when.gate));
        step.needs.iter().chain(opener).filter_map(|id| places.get(id).copied()).collect()
    };
    let needs: Vec<Vec<usize>> = plan.steps.iter().map(needed).collect();
    let mut missing: Vec<Option<&'static str>> = plan.steps.iter().map(|step| lacks(&step.work)).collect();
    for (index, needs) in needs.iter().enumerate() {
        if missing[index].is_none() {
            missing[index] = needs.iter().find_map(|need| missing[*need]);
        }
    }
    prepares_only(plan, &needs, &mut missing);
    for (step, lacks) in plan.steps.iter_mut().zip(missing) {
        if let Some(needs) = lacks {
            step.change = Change::NotInThisRelease { needs: needs.to_owned() };
        }
    }
}

/// From the end of the plan: what of the platform is needed by marked steps alone.
fn prepares_only(plan: &Plan, needs: &[Vec<usize>], missing: &mut [Option<&'static str>]) {
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); plan.steps.len()];
    for (index, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|need| dependents[*need].push(index));
    }
    for (index, step) in plan.steps.iter().enumerate().rev() {
        // What installs something is of use without who needs it.
        let installs = matches!(step.work, Work::HelmRelease(_) | Work::KubeObjects(_) | Work::ComponentRemoval(_));
        let of_platform = matches!(step.work.stage(), Stage::Platform | Stage::Runai) && !installs;
        let after = &dependents[index];
        if missing[index].is_none() && of_platform && after.iter().all(|after| missing[*after].is_some()) {
            missing[index] = after.first().and_then(|first| missing[*first]);
        }
    }
}
