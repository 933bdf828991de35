//! Plans that make broken members of the control plane whole again: the nodes are prepared as for any run, then the survivors take them
//! in. Workers are left alone, so one that is away as well holds nothing up.

use super::{downloads, files};
use crate::catalog::{Components, Engine};
use crate::cluster::{Cluster, Member};
use crate::discover::discover;
use crate::observed::Observed;
use crate::planner::{discovery, engine_missing, finished, kubernetes, leaves, made_from, nodes, worst_first};
use crate::step::{Refine, step};
use crate::{deadlines, ids, images};
use plinth_model::finding::code;
use plinth_model::plan::{Gate, Plan, Step, Undo};
use plinth_model::steps::KubesprayRecovery;
use plinth_model::{Digest, Finding, NodeName, Stage, Work};
use plinth_site::Desired;

/// Plans a recovery of these members.
///
/// # Errors
/// With every finding: a node that the site does not have, one that is a worker, no member left to recover from, a site that is half
/// understood.
pub fn recovery(
    desired: &Desired,
    observed: &Observed,
    catalog: &dyn Components,
    broken: &[NodeName],
) -> Result<Plan, Vec<Finding>> {
    let (mut cluster, mut findings) = Cluster::new(desired, &discover(desired, &observed.inventory));
    findings.extend(images::place(desired, &mut cluster, &observed.facts));
    findings.extend(engine_missing(desired));
    findings.extend(cannot_recover(&cluster, broken));
    let engine = match catalog.kubespray(desired) {
        Ok(engine) => engine,
        Err(finding) => return Err(worst_first(findings.into_iter().chain([*finding]).collect())),
    };
    if findings.iter().any(Finding::is_error) {
        return Err(worst_first(findings));
    }
    let steps = steps(desired, observed, &cluster, &engine, broken);
    finished(made_from(desired, observed, catalog), desired, observed, steps, findings)
}

/// At least one member of the control plane, and one of etcd, must have survived.
fn cannot_recover(cluster: &Cluster, broken: &[NodeName]) -> Vec<Finding> {
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

fn steps(
    desired: &Desired,
    observed: &Observed,
    cluster: &Cluster,
    engine: &Engine,
    broken: &[NodeName],
) -> (Vec<Step>, Vec<Gate>) {
    let quorum = cluster.quorum();
    let files = files::recovery_files(desired, cluster, engine, broken);
    let mut steps: Vec<Step> = discovery::steps(desired, &observed.inventory).into_iter().collect();
    let identity = steps.first().map(|s| s.id.clone());
    let (on_nodes, gates) = nodes::steps(desired, &quorum, identity.as_ref());
    let mut prepared = leaves(&on_nodes);
    steps.extend(on_nodes);
    let pushed = downloads::steps(desired, &quorum, engine, &Digest::of(&files));
    prepared.extend(leaves(&pushed));
    let play = play(desired, cluster, engine, broken);
    let id = play.id.clone();
    steps.extend(kubernetes::before(engine, files, prepared, pushed, play));
    steps.extend(kubernetes::after(desired, &quorum, &id));
    (steps, gates)
}

/// What is recorded as deployed afterwards is the cluster in the site's own order.
fn play(desired: &Desired, cluster: &Cluster, engine: &Engine, broken: &[NodeName]) -> Step {
    let (usual, _) = files::files(desired, cluster, engine);
    let members = cluster.members.iter().filter(|member| member.is_quorum()).count();
    let work = Work::KubesprayRecovery(KubesprayRecovery {
        release: engine.release.clone(),
        targets: cluster.members.iter().map(|member| Cluster::target(desired, member)).collect(),
        broken: broken.to_vec(),
        parts: super::inputs(&engine.release.tag, &desired.kubernetes.version, &usual),
    });
    let names = broken.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", ");
    let (id, reason) = (ids::recovery(desired.name.as_str()), format!("you said that {names} broke"));
    step(id, Stage::Kubernetes, work, deadlines::kubespray_run(members), reason)
        .destroys("removes what is left of etcd and of the node on these members; without a majority the data of the first survivor counts")
        .undo(Undo::OneWay("what only the broken members had is gone".to_owned()))
}
