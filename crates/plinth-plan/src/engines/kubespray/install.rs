//! Kubespray's own steps: its source, its environment, its files, and the run of its playbook.

use crate::catalog::KubesprayChoice;
use crate::cluster::Cluster;
use crate::ids;
use crate::step::{Refine, step};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::plan::Step;
use plinth_model::steps::{KubesprayEnvironment, KubesprayInventory, KubesprayRun, KubespraySource};
use plinth_model::{Finding, Owner, StepId, Work, amount};
use plinth_site::Desired;
use plinth_site::desired::InventorySource;

/// A play, and all that it stands on.
pub(super) fn before(
    engine: &KubesprayChoice,
    files: IndexMap<String, String>,
    prepared: Vec<StepId>,
    pushed: Vec<Step>,
    play: Step,
) -> Vec<Step> {
    let mut steps = vec![source(engine), environment(engine), inventory(files)];
    steps.extend(pushed);
    let needs = prepared.into_iter().chain([ids::environment(), ids::inventory()]);
    steps.push(play.needing(needs));
    steps
}

pub(super) fn source(engine: &KubesprayChoice) -> Step {
    let work = Work::KubespraySource(KubespraySource { release: engine.release.clone() });
    step(ids::source(), work, engine.why.clone())
}

pub(super) fn environment(engine: &KubesprayChoice) -> Step {
    let work = Work::KubesprayEnvironment(KubesprayEnvironment { release: engine.release.clone() });
    let reason = format!("its playbooks refuse any Ansible but {}", engine.release.ansible_core);
    step(ids::environment(), work, reason).needing([ids::source()])
}

pub(super) fn inventory(files: IndexMap<String, String>) -> Step {
    let reason = "the playbook reads nodes, addresses and settings from these files, and from nowhere else";
    step(ids::inventory(), Work::KubesprayInventory(KubesprayInventory { files }), reason)
}

pub(super) fn deploy(
    desired: &Desired,
    cluster: &Cluster,
    engine: &KubesprayChoice,
    files: &IndexMap<String, String>,
) -> Step {
    let version = &engine.kubernetes;
    let nodes = amount(cluster.members.len(), "node");
    let work = Work::KubesprayRun(KubesprayRun {
        release: engine.release.clone(),
        targets: cluster.members.iter().map(|m| Cluster::target(desired, m)).collect(),
        parts: super::inputs(engine, files),
        without: cluster.left_out.iter().map(|member| member.name.clone()).collect(),
        removes_docker: desired.kubernetes.remove_docker,
    });
    let reason =
        format!("installs Kubernetes {version} on {nodes} (no earlier installation with these settings recorded)");
    step(ids::deploy(desired.name.as_str()), work, reason)
}

/// What a node loses when BCM makes it anew: everything of Kubernetes is in the node's own file system.
pub(super) fn lost_by_imaging(desired: &Desired) -> Option<Finding> {
    let InventorySource::Bcm(_) = desired.inventory else { return None };
    let text = "re-imaging a node in BCM removes Kubernetes from it until `plinth apply` runs again";
    let finding = Finding::info(code::KUBERNETES_LOST_BY_IMAGING, desired.name.as_str(), text).owner(Owner::BcmAdmin);
    let places = ["programs", "settings and certificates", "kubelet's state", "etcd", "container images"];
    let paths = [
        "/usr/local/bin, /opt/cni",
        "/etc/kubernetes, /etc/containerd, /etc/systemd/system, /etc/sysctl.d, /etc/fstab (swap)",
        "/var/lib/kubelet, /etc/cni",
        "/var/lib/etcd, /etc/ssl/etcd, /etc/etcd.env on its members: re-imaging more than half of them at once destroys the cluster",
        desired.storage.images.as_str(),
    ];
    let finding = places.iter().zip(paths).fold(finding, |f, (place, path)| f.evidence(format!("{place}: {path}")));
    Some(finding.fix(
        "name these in the category's exclude lists, or run `plinth apply` after every new image; \
         never re-image several etcd members at once",
    ))
}
