//! What a plan holds of an engine, for whoever shows or does it: verbs ask here and know no engine.

use plinth_model::steps::KubesprayInventory;
use plinth_model::{Plan, Work};

/// Files that an engine reads, as they stand in the plan: the inventory, and the variables of the whole cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFile {
    /// Hosts, groups and addresses.
    Inventory,
    /// Settings of the cluster and of Kubespray.
    Variables,
}

/// Name and content of a file that the engine reads; none when the plan's engine reads none.
#[must_use]
pub fn file(plan: &Plan, wanted: EngineFile) -> Option<(&str, &str)> {
    let wanted = match wanted {
        EngineFile::Inventory => super::kubespray::INVENTORY,
        EngineFile::Variables => super::kubespray::GROUP_VARS,
    };
    let files = plan.steps.iter().find_map(|step| match &step.work {
        Work::KubesprayInventory(KubesprayInventory { files }) => Some(files),
        _ => None,
    })?;
    files.get_key_value(wanted).map(|(name, text)| (name.as_str(), text.as_str()))
}

/// The steps that make the engine's tools on this machine, as a plan of their own: no node is touched by them. An engine can say what it
/// would do only when they are there. Empty for an engine without tools.
#[must_use]
pub fn tools(plan: &Plan) -> Plan {
    let is_tool = |work: &Work| {
        matches!(work, Work::KubespraySource(_) | Work::KubesprayEnvironment(_) | Work::KubesprayInventory(_))
    };
    let mut tools = plan.clone();
    tools.steps.retain(|step| is_tool(&step.work));
    let kept: Vec<_> = tools.steps.iter().map(|step| step.id.clone()).collect();
    tools.steps.iter_mut().for_each(|step| step.needs.retain(|need| kept.contains(need)));
    tools.gates.clear();
    tools.findings.clear();
    tools.hash = tools.content_hash();
    tools
}

/// Whether the engine's programs are yet to be fetched. What else belongs to the tools is written from the plan.
#[must_use]
pub fn fetches_tools(plan: &Plan) -> bool {
    let is_fetched = |work: &Work| matches!(work, Work::KubespraySource(_) | Work::KubesprayEnvironment(_));
    plan.steps.iter().any(|step| step.change.pending() && is_fetched(&step.work))
}

/// Whether a removal or a recovery has nothing to do: every step that takes Kubernetes away, or brings members back, is done. Tools and
/// the preparation of nodes do not count.
#[must_use]
pub fn is_done(plan: &Plan) -> bool {
    let counts =
        |work: &Work| matches!(work, Work::KubesprayRemoval(_) | Work::KubesprayRecovery(_) | Work::NodeLeftovers(_));
    plan.steps.iter().filter(|step| counts(&step.work)).all(|step| !step.change.pending())
}
