//! Kubespray takes Kubernetes away: from the whole site, or from workers.

use super::{files, install};
use crate::catalog::KubesprayChoice;
use crate::cluster::{Cluster, Member};
use crate::ids;
use crate::step::{Refine, step};
use plinth_model::finding::code;
use plinth_model::plan::Step;
use plinth_model::steps::{KubesprayRemoval, NodeLeftovers, Removal};
use plinth_model::{Finding, NodeName, Work};
use plinth_site::Desired;

/// Only workers leave alone: members of the control plane and of etcd are many, and an order matters among them.
pub(super) fn cannot_leave(cluster: &Cluster, removal: &Removal) -> Vec<Finding> {
    let Removal::Nodes { nodes, .. } = removal else { return Vec::new() };
    let member = |node: &NodeName| cluster.members.iter().find(|member| member.name == *node);
    let wrong = |node: &NodeName| {
        match member(node) {
        None => Some(
            Finding::error(code::KUBESPRAY_REMOVE_UNKNOWN, node.as_str(), format!("{node} is not a node of the site"))
                .fix("name nodes of the site file; one that was taken out of it is put back first, since Kubespray needs its address"),
        ),
        Some(member) if member.is_quorum() => Some(
            Finding::error(code::KUBESPRAY_REMOVE_QUORUM, node.as_str(), format!("{node} is of the control plane or of etcd"))
                .fix("remove workers only; re-provision a broken member under its name, then run `plinth recover`"),
        ),
        Some(_) => None,
    }
    };
    let mut findings: Vec<Finding> = nodes.iter().filter_map(wrong).collect();
    let stay = cluster.members.iter().filter(|member| !removal.takes(&member.name)).count();
    if findings.is_empty() && stay == 0 {
        let text = "no node would stay";
        findings.push(Finding::error(code::KUBESPRAY_REMOVE_ALL, cluster_name(nodes), text).fix("use `plinth reset`"));
    }
    findings
}

fn cluster_name(nodes: &[NodeName]) -> String {
    nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ")
}

pub(super) fn steps(desired: &Desired, cluster: &Cluster, engine: &KubesprayChoice, removal: &Removal) -> Vec<Step> {
    let (files, _) = files(desired, cluster, engine);
    let id = ids::removal(desired.name.as_str());
    let leaving: Vec<&Member> = cluster.members.iter().filter(|member| removal.takes(&member.name)).collect();
    let is_reached = !matches!(removal, Removal::Nodes { reachable: false, .. });
    let work = Work::KubesprayRemoval(KubesprayRemoval {
        release: engine.release.clone(),
        targets: cluster.members.iter().map(|member| Cluster::target(desired, member)).collect(),
        removal: removal.clone(),
        parts: super::inputs(engine, &files),
    });
    if *removal == Removal::Unprovisioned {
        return vec![step(id, work, reason(removal))];
    }
    let mut steps = vec![install::source(engine), install::environment(engine), install::inventory(files)];
    let taken = step(id.clone(), work, reason(removal));
    let taken = taken.needing([ids::environment(), ids::inventory()]);
    steps.push(taken);
    let clean = |member: &&Member| {
        let work = Work::NodeLeftovers(NodeLeftovers { target: Cluster::target(desired, member) });
        let reason = "Kubespray leaves programs, packet filter chains and directories behind";
        step(ids::leftovers(&member.name), work, reason).needing([id.clone()])
    };
    steps.extend(leaving.iter().filter(|_| is_reached).map(clean));
    steps
}

fn reason(removal: &Removal) -> String {
    match removal {
        Removal::Unprovisioned => {
            "nothing of Kubernetes is on any node any more; what is recorded of the cluster is all that is left"
                .to_owned()
        }
        Removal::All => "you asked to take Kubernetes away from the whole site".to_owned(),
        Removal::Nodes { nodes, .. } => format!("you asked to take {} out of the cluster", cluster_name(nodes)),
    }
}
