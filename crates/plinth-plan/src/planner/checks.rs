//! Plans that only prove: the acceptance checks of a site, all or chosen ones, without what leads to them.

use super::plan;
use crate::catalog::Components;
use crate::cluster::Cluster;
use crate::discover::discover;
use crate::observed::Observed;
use plinth_model::finding::code;
use plinth_model::plan::{Plan, Step};
use plinth_model::{Finding, NodeName, Work};
use plinth_site::Desired;
use std::collections::BTreeSet;

/// The checks that Run:ai itself answers, as they stand in ids.
const RUNAI: [&str; 2] = ["runai", "runai-workload"];

/// Which checks are wanted.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// `storage`, or the id of a step; empty: all.
    pub only: Vec<String>,
    /// Nodes that the checks are to be about; empty: all.
    pub nodes: Vec<NodeName>,
}

impl Chosen {
    /// Whether a check that Run:ai itself answers may be among them.
    #[must_use]
    pub fn may_ask_runai(&self) -> bool {
        let named =
            |one: &String| RUNAI.iter().any(|check| one == check || one.starts_with(&format!("checks/{check}/")));
        self.nodes.is_empty() && (self.only.is_empty() || self.only.iter().any(named))
    }
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
    let unknown = unknown(&plan, &members(desired, observed), chosen);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    plan.steps.retain_mut(|step| {
        step.needs.clear();
        step.when = None;
        is_chosen(step, &chosen.only) && narrow(step, &chosen.nodes)
    });
    if plan.steps.is_empty() {
        return Err(vec![nothing_left()]);
    }
    plan.hash = plan.content_hash();
    Ok(plan)
}

/// A run that proves nothing must not look like one that proved everything.
fn nothing_left() -> Finding {
    Finding::error(code::CHECKS_NONE, "checks", "no check is left of what was chosen, so nothing would be proved")
        .fix("leave out `--node` for checks that are about the whole cluster; look at `checks.skip` in the site file")
}

fn members(desired: &Desired, observed: &Observed) -> BTreeSet<NodeName> {
    let (cluster, _) = Cluster::new(desired, &discover(desired, &observed.inventory));
    cluster.members.into_iter().map(|member| member.name).collect()
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
    if let Some(node) = work.check.node() {
        return wanted.contains(node);
    }
    work.check.nodes_mut().is_some_and(|nodes| {
        nodes.retain(|node| wanted.contains(node));
        !nodes.is_empty()
    })
}

fn unknown(plan: &Plan, members: &BTreeSet<NodeName>, chosen: &Chosen) -> Vec<Finding> {
    let verbs: BTreeSet<&str> = plan.steps.iter().map(|step| step.id.verb()).collect();
    let is_known = |one: &&String| plan.steps.iter().any(|step| is_chosen(step, std::slice::from_ref(one)));
    let checks = chosen.only.iter().filter(|one| !is_known(one)).map(|one| {
        Finding::error(code::CHECKS_UNKNOWN, "--only", format!("this site has no check `{one}`"))
            .fix(format!("give one of: {}", verbs.iter().copied().collect::<Vec<_>>().join(", ")))
    });
    let strangers = chosen.nodes.iter().filter(|node| !members.contains(*node)).map(|node| {
        Finding::error(code::NODES_NO_MATCH, "--node", format!("`{node}` is no node of this site"))
            .fix("give a node of the site by its exact name; `plinth discover` lists them")
    });
    checks.chain(strangers).collect()
}
