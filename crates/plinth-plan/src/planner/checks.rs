//! Plans that only prove: the acceptance checks of a site, all or chosen ones, without what leads to them.

use super::plan;
use crate::catalog::Components;
use crate::observed::Observed;
use plinth_model::finding::code;
use plinth_model::plan::{Plan, Step};
use plinth_model::steps::Check;
use plinth_model::{Finding, NodeName, Work};
use plinth_site::Desired;
use std::collections::BTreeSet;

/// Which checks are wanted.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// `storage`, or the id of a step; empty: all.
    pub only: Vec<String>,
    /// Nodes that the checks are to be about; empty: all.
    pub nodes: Vec<NodeName>,
}

/// Plans the checks of a site.
///
/// # Errors
/// With every finding: a site that cannot be planned, a check or a node that it does not have.
pub fn checks(
    desired: &Desired,
    observed: &Observed,
    catalog: &dyn Components,
    chosen: &Chosen,
) -> Result<Plan, Vec<Finding>> {
    let mut plan = plan(desired, observed, catalog)?;
    plan.steps.retain(|step| matches!(step.work, Work::AcceptanceCheck(_)));
    plan.gates.clear();
    let unknown = unknown(&plan, chosen);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    plan.steps.retain_mut(|step| {
        step.needs.clear();
        step.when = None;
        is_chosen(step, &chosen.only) && narrow(step, &chosen.nodes)
    });
    plan.hash = plan.content_hash();
    Ok(plan)
}

fn is_chosen(step: &Step, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|one| one == step.id.verb() || one == step.id.as_str())
}

/// Makes a check be about these nodes only. Answers whether anything is left of it.
fn narrow(step: &mut Step, wanted: &[NodeName]) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let Work::AcceptanceCheck(work) = &mut step.work else { return false };
    match &mut work.check {
        Check::GpuPod { node, .. } => wanted.contains(node),
        Check::Nodes { nodes }
        | Check::PodNetwork { nodes, .. }
        | Check::Metrics { nodes }
        | Check::GpuCapacity { nodes, .. } => {
            nodes.retain(|node| wanted.contains(node));
            !nodes.is_empty()
        }
        Check::System | Check::Dns { .. } | Check::Ingress { .. } | Check::Storage { .. } | Check::Runai { .. } => {
            false
        }
    }
}

fn unknown(plan: &Plan, chosen: &Chosen) -> Vec<Finding> {
    let verbs: BTreeSet<&str> = plan.steps.iter().map(|step| step.id.verb()).collect();
    let is_known = |one: &&String| plan.steps.iter().any(|step| is_chosen(step, std::slice::from_ref(one)));
    let checks = chosen.only.iter().filter(|one| !is_known(one)).map(|one| {
        Finding::error(code::CHECKS_UNKNOWN, "--only", format!("this site has no check `{one}`"))
            .fix(format!("give one of: {}", verbs.iter().copied().collect::<Vec<_>>().join(", ")))
    });
    let nodes: BTreeSet<&NodeName> = plan.steps.iter().flat_map(nodes).collect();
    let strangers = chosen.nodes.iter().filter(|node| !nodes.contains(node)).map(|node| {
        Finding::error(code::NODES_NO_MATCH, "--node", format!("no check of this site is about `{node}`"))
            .fix("give a node of the site by its exact name; `plinth discover` lists them")
    });
    checks.chain(strangers).collect()
}

fn nodes(step: &Step) -> Vec<&NodeName> {
    let Work::AcceptanceCheck(work) = &step.work else { return Vec::new() };
    match &work.check {
        Check::GpuPod { node, .. } => vec![node],
        Check::Nodes { nodes } => nodes.iter().collect(),
        _ => Vec::new(),
    }
}
