//! Kubespray makes broken members of the control plane whole again: the survivors take them in. Workers are left alone, so one that is away as
//! well holds nothing up.

use super::{downloads, files, install, recovery_files};
use crate::catalog::KubesprayChoice;
use crate::cluster::{Cluster, Member};
use crate::engines::Install;
use crate::ids;
use crate::step::{leaves, step};
use plinth_model::finding::code;
use plinth_model::plan::Step;
use plinth_model::steps::KubesprayRecovery;
use plinth_model::{Digest, Finding, NodeName, StepId, Work};
use plinth_site::Desired;

/// At least one member of the control plane, and one of etcd, must have survived.
pub(super) fn cannot_recover(cluster: &Cluster, broken: &[NodeName]) -> Vec<Finding> {
    let wrong = |node: &NodeName| match cluster.members.iter().find(|member| member.name == *node) {
        None => Some(
            Finding::error(code::KUBESPRAY_RECOVER_UNKNOWN, node.as_str(), format!("{node} is not a node of the site"))
                .fix("name members of the control plane, as in the site file"),
        ),
        Some(member) if !member.is_quorum() => Some(
            Finding::error(code::KUBESPRAY_RECOVER_WORKER, node.as_str(), format!("{node} is a worker"))
                .fix("run `plinth apply`: a worker that lost Kubernetes joins again by itself"),
        ),
        Some(_) => None,
    };
    let mut findings: Vec<Finding> = broken.iter().filter_map(wrong).collect();
    let survives = |member: &Member| !broken.contains(&member.name);
    let enough = cluster.control_plane().any(survives) && cluster.etcd().any(survives);
    if findings.is_empty() && !enough {
        let text = "no member of the control plane, or of etcd, would be left to recover from";
        let names = broken.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
        findings.push(
            Finding::error(code::KUBESPRAY_NONE_SURVIVED, names, text)
                .fix("without any the cluster is gone: `plinth reset`, then `plinth apply`"),
        );
    }
    findings
}

/// `prepared`: the last steps of the preparation of the members of the control plane and of etcd.
pub(super) fn install(
    desired: &Desired,
    cluster: &Cluster,
    engine: &KubesprayChoice,
    broken: &[NodeName],
    mut prepared: Vec<StepId>,
) -> Install {
    let files = recovery_files(desired, cluster, engine, broken);
    let pushed = downloads::steps(desired, &cluster.quorum(), engine, &Digest::of(&files));
    prepared.extend(leaves(&pushed));
    let play = play(desired, cluster, engine, broken);
    let end = Some(play.id.clone());
    Install { steps: install::before(engine, files, prepared, pushed, play), end, findings: Vec::new() }
}

/// What is recorded as deployed afterwards is the cluster in the site's own order.
fn play(desired: &Desired, cluster: &Cluster, engine: &KubesprayChoice, broken: &[NodeName]) -> Step {
    let (usual, _) = files(desired, cluster, engine);
    let work = Work::KubesprayRecovery(KubesprayRecovery {
        release: engine.release.clone(),
        targets: cluster.members.iter().map(|member| Cluster::target(desired, member)).collect(),
        broken: broken.to_vec(),
        parts: super::inputs(engine, &usual),
    });
    let names = broken.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
    let (id, reason) = (ids::recovery(desired.name.as_str()), format!("you said that {names} broke"));
    step(id, work, reason)
}
