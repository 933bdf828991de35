//! Small plans: what a verb does beside the main job. Steps as data like any others, so they are shown,
//! executed, journalled and resumed the same way.

use super::{change, finished, made_from, worst_first};
use crate::catalog::Components;
use crate::duration;
use crate::ids;
use crate::observed::{Observed, StepObservation};
use crate::step::step;
use plinth_model::plan::Plan;
use plinth_model::steps::{HelmRollback, NodePrepare, NodeTarget, NodeTrust, Preparation};
use plinth_model::{Finding, Work};
use plinth_site::Desired;

/// The plan with what was seen of its steps: only their changes differ, so its hash is the same.
///
/// # Errors
/// When a gate opened with an answer that the plan does not show.
pub fn looked(mut plan: Plan, observed: &Observed) -> Result<Plan, Vec<Finding>> {
    let wrong = change::bad_answers(&plan.gates, observed);
    if !wrong.is_empty() {
        return Err(worst_first(plan.findings.into_iter().chain(wrong).collect()));
    }
    change::set(&mut plan.steps, observed);
    plan.expected = duration::usual(&plan, &observed.took);
    Ok(plan)
}

/// A plan that prepares nodes: what checking them found to be safe to fix, with the login that answered.
///
/// # Errors
/// With the flaws of the plan, if it has any.
pub fn fixes(
    desired: &Desired,
    observed: &Observed,
    catalog: &dyn Components,
    fixes: Vec<(NodeTarget, Preparation)>,
) -> Result<Plan, Vec<Finding>> {
    let fix = |(target, wanted): (NodeTarget, Preparation)| {
        let (id, reason) = (ids::prepare(&target.node), in_words(&wanted));
        let work = Work::NodePrepare(NodePrepare { target, wanted });
        step(id, work, reason)
    };
    let steps = (fixes.into_iter().map(fix).collect(), Vec::new());
    finished(made_from(desired, observed, catalog), desired, observed, steps, Vec::new())
}

/// A plan that pins host keys which a person compared, whatever was pinned before.
///
/// # Errors
/// With the flaws of the plan, if it has any.
pub fn trust(
    desired: &Desired,
    observed: &Observed,
    catalog: &dyn Components,
    keys: Vec<NodeTrust>,
) -> Result<Plan, Vec<Finding>> {
    let pin = |key: NodeTrust| {
        let (id, reason) =
            (ids::trust(&key.target.node), format!("{} {} was compared", key.algorithm, key.fingerprint));
        step(id, Work::NodeTrust(key), reason)
    };
    let steps = (keys.into_iter().map(pin).collect(), Vec::new());
    finished(made_from(desired, observed, catalog), desired, observed, steps, Vec::new())
}

/// A plan that makes the release of a component what an earlier revision of it was, for this reason, with what differs; none: nothing is
/// to do.
///
/// # Errors
/// With the flaws of the plan, if it has any.
pub fn rollback(
    desired: &Desired,
    observed: &mut Observed,
    catalog: &dyn Components,
    work: Option<(HelmRollback, String, Vec<String>)>,
) -> Result<Plan, Vec<Finding>> {
    let mut steps = Vec::new();
    if let Some((work, reason, differences)) = work {
        let id = ids::rollback(&work.component);
        observed.steps.insert(id.clone(), StepObservation::Todo(differences));
        steps.push(step(id, Work::HelmRollback(work), reason));
    }
    let plan = finished(made_from(desired, observed, catalog), desired, observed, (steps, Vec::new()), Vec::new())?;
    looked(plan, observed)
}

fn in_words(wanted: &Preparation) -> String {
    let mut parts: Vec<String> = wanted.modules.iter().map(|module| format!("load {module}")).collect();
    parts.extend(wanted.sysctls.iter().map(|(name, value)| format!("set {name} = {value}")));
    parts.extend(wanted.swap_off.then(|| "switch swap off".to_owned()));
    parts.extend(wanted.time_service.then(|| "start the time service".to_owned()));
    parts.extend(wanted.hosts.iter().map(|(name, address)| format!("write {name} {address} to /etc/hosts")));
    parts.join(", ")
}
