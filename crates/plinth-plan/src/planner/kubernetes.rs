//! Stage kubernetes: Kubespray's parts, the playbook, kubeconfig, labels, readiness, and the join that the platform waits for.

use crate::catalog::Engine;
use crate::cluster::{Cluster, Member};
use crate::discover::Role;
use crate::ids;
use crate::step::{Refine, step};
use crate::{deadlines, kubespray};
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::plan::{Step, Undo};
use plinth_model::steps::{
    ClusterDns, ControlPlane, GpuRuntime, Kubeconfig, KubesprayEnvironment, KubesprayInventory, KubesprayRun,
    KubespraySource, NodeLabels, NodeReady,
};
use plinth_model::{Digest, Finding, Owner, Stage, StepId, Work};
use plinth_site::Desired;
use plinth_site::desired::{ApiEndpoint, InventorySource};
use std::net::Ipv4Addr;

/// A name that every cluster answers by itself.
const OWN_NAME: &str = "kubernetes.default.svc.cluster.local";

/// All steps of the stage; the last one is the join.
pub(crate) fn steps(
    desired: &Desired,
    cluster: &Cluster,
    engine: &Engine,
    files: IndexMap<String, String>,
    prepared: Vec<StepId>,
    pushed: Vec<Step>,
) -> Vec<Step> {
    let deploy = deploy(desired, cluster, engine, &files);
    let mut steps = before(engine, files, prepared, pushed, deploy);
    steps.extend(after(desired, cluster, &ids::deploy(desired.name.as_str())));
    steps.extend(join(desired, cluster));
    steps
}

/// A play, and all that it stands on.
pub(crate) fn before(
    engine: &Engine,
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

/// What follows a play, and proves what it did on the members of this cluster.
pub(crate) fn after(desired: &Desired, cluster: &Cluster, play: &StepId) -> Vec<Step> {
    let mut steps: Vec<Step> = kubeconfig(desired, cluster, play).into_iter().collect();
    for member in cluster.members.iter().filter(|m| m.is_kubernetes_node()) {
        steps.extend(on_node(desired, member));
    }
    steps.push(health(desired, cluster));
    steps.extend(gpu_runtime(desired, cluster));
    steps
}

/// The step that everything in the cluster waits for: one edge per component instead of one per component and node. It is
/// the proof that pods resolve names: Run:ai's, or without it the cluster's own.
pub(crate) fn join_id(desired: &Desired) -> StepId {
    ids::dns(desired.runai.as_ref().map_or(OWN_NAME, |r| &r.domain))
}

pub(crate) fn source(engine: &Engine) -> Step {
    let work = Work::KubespraySource(KubespraySource { release: engine.release.clone() });
    step(ids::source(), Stage::Kubernetes, work, deadlines::KUBESPRAY_SOURCE, engine.why.clone())
}

pub(crate) fn environment(engine: &Engine) -> Step {
    let work = Work::KubesprayEnvironment(KubesprayEnvironment { release: engine.release.clone() });
    let reason = format!("its playbooks refuse any Ansible but {}", engine.release.ansible_core);
    step(ids::environment(), Stage::Kubernetes, work, deadlines::KUBESPRAY_ENVIRONMENT, reason).needing([ids::source()])
}

pub(crate) fn inventory(files: IndexMap<String, String>) -> Step {
    let reason = "the playbook reads nodes, addresses and settings from these files, and from nowhere else";
    step(
        ids::inventory(),
        Stage::Kubernetes,
        Work::KubesprayInventory(KubesprayInventory { files }),
        deadlines::LOCAL_FILES,
        reason,
    )
}

fn deploy(desired: &Desired, cluster: &Cluster, engine: &Engine, files: &IndexMap<String, String>) -> Step {
    let version = &desired.kubernetes.version;
    let nodes = cluster.members.len();
    let work = Work::KubesprayRun(KubesprayRun {
        release: engine.release.clone(),
        targets: cluster.members.iter().map(|m| Cluster::target(desired, m)).collect(),
        inputs: Digest::of(files),
        parts: kubespray::inputs(&engine.release.tag, version, files),
    });
    let reason = format!("Kubernetes {version} is not known to run on these {nodes} nodes with these settings");
    step(ids::deploy(desired.name.as_str()), Stage::Kubernetes, work, deadlines::kubespray_run(nodes), reason)
        .destroys(if desired.kubernetes.remove_docker {
            "restarts containerd and kubelet, uninstalls docker where it is"
        } else {
            "restarts containerd and kubelet"
        })
        .undo(Undo::Compensate(
            "Kubespray's reset removes Kubernetes with its data; a removed docker does not come back".into(),
        ))
}

/// What a node loses when BCM makes it anew: everything of Kubernetes is in the node's own file system.
pub(crate) fn lost_by_imaging(desired: &Desired) -> Option<Finding> {
    let InventorySource::Bcm(_) = desired.inventory else { return None };
    let text =
        "a node that BCM makes anew from its image loses Kubernetes, and is no longer a member until the next run";
    let finding = Finding::info(code::KUBERNETES_LOST_BY_IMAGING, desired.name.as_str(), text).owner(Owner::BcmAdmin);
    let places = ["programs", "settings and certificates", "kubelet's state", "etcd", "container images"];
    let paths = [
        "/usr/local/bin, /opt/cni",
        "/etc/kubernetes, /etc/containerd, /etc/systemd/system, /etc/sysctl.d, /etc/fstab (swap)",
        "/var/lib/kubelet, /etc/cni",
        "/var/lib/etcd, /etc/ssl/etcd, /etc/etcd.env on its members: more than half of them at once is the end of the cluster",
        desired.storage.images.as_str(),
    ];
    let finding = places.iter().zip(paths).fold(finding, |f, (place, path)| f.evidence(format!("{place}: {path}")));
    Some(finding.fix(
        "name these in the category's exclude lists, or run `plinth apply` after every new image; \
         never let BCM make several etcd members anew at once",
    ))
}

fn kubeconfig(desired: &Desired, cluster: &Cluster, play: &StepId) -> Option<Step> {
    let first = cluster.control_plane().next()?;
    let (host, port) = desired.kubernetes.endpoint.shared().unwrap_or((first.address, ApiEndpoint::PORT));
    let server = format!("https://{host}:{port}");
    let work = Work::Kubeconfig(Kubeconfig { target: Cluster::target(desired, first), server });
    let reason = format!("everything inside the cluster is done through its API server on {}", first.name);
    let id = ids::kubeconfig(desired.name.as_str());
    Some(step(id, Stage::Kubernetes, work, deadlines::KUBECONFIG, reason).needing([play.clone()]))
}

/// Labels, if there are any, then readiness.
fn on_node(desired: &Desired, member: &Member) -> Vec<Step> {
    let kubeconfig = ids::kubeconfig(desired.name.as_str());
    let labels = labels(member).map(|s| s.needing([kubeconfig.clone()]));
    let before = labels.as_ref().map_or(kubeconfig, |s| s.id.clone());
    let version = desired.kubernetes.version.prefixed();
    let reason = format!("pods are placed on it only when it is Ready with {version}");
    let work = Work::NodeReady(NodeReady { node: member.name.clone(), version });
    let ready = step(ids::ready(&member.name), Stage::Kubernetes, work, deadlines::NODE_READY, reason);
    labels.into_iter().chain([ready.needing([before])]).collect()
}

fn labels(member: &Member) -> Option<Step> {
    if member.labels.is_empty() && member.taints.is_empty() {
        return None;
    }
    let names: Vec<&str> = member.labels.keys().map(|l| l.rsplit('/').next().unwrap_or(l)).collect();
    let taints = if member.taints.is_empty() { String::new() } else { format!(", taints {}", member.taints.join(" ")) };
    let reason = format!("schedulers find it by its labels: {}{taints}", names.join(", "));
    let work = Work::NodeLabels(NodeLabels {
        node: member.name.clone(),
        labels: member.labels.clone(),
        taints: member.taints.clone(),
    });
    Some(step(ids::labels(&member.name), Stage::Kubernetes, work, deadlines::KUBE_CALL, reason))
}

/// Behind readiness, since the pods that it looks at run on every node.
fn health(desired: &Desired, cluster: &Cluster) -> Step {
    let targets = cluster.members.iter().filter(|m| m.is_quorum()).map(|m| Cluster::target(desired, m)).collect();
    let work = Work::ControlPlane(ControlPlane { targets, etcd: cluster.etcd().map(|m| m.name.clone()).collect() });
    let reason = "Ready nodes do not prove that etcd agrees, that certificates last, and that names resolve everywhere";
    let ready = cluster.members.iter().filter(|m| m.is_kubernetes_node()).map(|m| ids::ready(&m.name));
    step(ids::health(desired.name.as_str()), Stage::Kubernetes, work, deadlines::CONTROL_PLANE, reason)
        .needing([ids::kubeconfig(desired.name.as_str())])
        .needing(ready)
}

/// Behind health, since the toolkit's pods can start again only when the cluster is well.
fn gpu_runtime(desired: &Desired, cluster: &Cluster) -> Option<Step> {
    let targets: Vec<_> = cluster.with(Role::Gpu).map(|m| Cluster::target(desired, m)).collect();
    if targets.is_empty() || !kubespray::wants_toolkit(desired) {
        return None;
    }
    let name = desired.name.as_str();
    let reason =
        "a run of Kubespray writes containerd's settings anew; GPU pods fail where NVIDIA's runtime was in them";
    let work = Work::GpuRuntime(GpuRuntime { targets });
    let step = step(ids::gpu_runtime(name), Stage::Kubernetes, work, deadlines::GPU_RUNTIME, reason);
    Some(step.needing([ids::health(name)]))
}

fn join(desired: &Desired, cluster: &Cluster) -> Option<Step> {
    let (name, address, reason) = match &desired.runai {
        Some(runai) => {
            let reason = format!("pods of Run:ai call {} by name, also inside the cluster", runai.domain);
            (runai.domain.clone(), cluster.ingress_address(desired)?, reason)
        }
        None => (OWN_NAME.to_owned(), api_service(desired)?, "components find each other by name".to_owned()),
    };
    let work = Work::ClusterDns(ClusterDns { name, address });
    let before = gpu_runtime(desired, cluster).map_or_else(|| ids::health(desired.name.as_str()), |step| step.id);
    Some(step(join_id(desired), Stage::Kubernetes, work, deadlines::CLUSTER_DNS, reason).needing([before]))
}

/// The API server's service address: the first one of the service range.
fn api_service(desired: &Desired) -> Option<Ipv4Addr> {
    desired.kubernetes.services.hosts().next()
}
