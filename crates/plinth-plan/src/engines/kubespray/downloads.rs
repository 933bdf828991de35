//! Files of the engine: fetched once, verified, and pushed to every node that needs them, before the playbook runs. It looks for
//! them in its folder and finds them, so that no node fetches for itself.

use super::RELEASES;
use crate::catalog::KubesprayChoice;
use crate::cluster::{Cluster, Member};
use crate::discover::Role;
use crate::ids;
use crate::step::{Refine, step};
use plinth_model::plan::Step;
use plinth_model::steps::{KubesprayDownloads, NodeDownloads};
use plinth_model::{Digest, StepId, Work};
use plinth_site::Desired;

/// All steps; none where the site lets every node fetch for itself.
pub(crate) fn steps(desired: &Desired, cluster: &Cluster, engine: &KubesprayChoice, inputs: &Digest) -> Vec<Step> {
    if !desired.kubernetes.downloads.push {
        return Vec::new();
    }
    let fetch = fetch(desired, engine, inputs);
    let before = fetch.id.clone();
    let push = cluster.members.iter().map(|member| push(desired, member, inputs, &before));
    [fetch].into_iter().chain(push).collect()
}

fn fetch(desired: &Desired, engine: &KubesprayChoice, inputs: &Digest) -> Step {
    let mirror = desired.kubernetes.downloads.files.clone();
    let reason = match &mirror {
        Some(mirror) => format!("what Kubespray {} needs on nodes is fetched once, from {mirror}", engine.release.tag),
        None => format!("what Kubespray {} needs on nodes is fetched once, not by every node", engine.release.tag),
    };
    let work = Work::KubesprayDownloads(KubesprayDownloads {
        release: engine.release.clone(),
        inputs: inputs.clone(),
        mirror,
    });
    let id = ids::downloads(desired.name.as_str());
    step(id, work, reason).needing([ids::environment(), ids::inventory()])
}

fn push(desired: &Desired, member: &Member, inputs: &Digest, fetched: &StepId) -> Step {
    let work = Work::NodeDownloads(NodeDownloads {
        target: Cluster::target(desired, member),
        folder: RELEASES,
        groups: groups(member),
        inputs: inputs.clone(),
    });
    let reason = format!("the playbook finds its files in {} and fetches nothing", RELEASES);
    step(ids::node_downloads(&member.name), work, reason).needing([ids::facts(&member.name), fetched.clone()])
}

/// Groups of the inventory that list the node, the parent of all Kubernetes nodes among them.
fn groups(member: &Member) -> Vec<String> {
    let groups = [
        (member.is_kubernetes_node(), "k8s_cluster"),
        (member.is(Role::ControlPlane), "kube_control_plane"),
        (member.is(Role::Worker), "kube_node"),
        (member.is(Role::Etcd), "etcd"),
    ];
    groups.into_iter().filter(|(is_in, _)| *is_in).map(|(_, group)| group.to_owned()).collect()
}
