//! What every cluster gets once Kubernetes is on its nodes, whatever brought it: kubeconfig, labels, readiness, health, and the names that
//! the platform waits for.

use crate::cluster::{Cluster, Member};
use crate::discover::Role;
use crate::engines::{Asked, Engine};
use crate::gpu::wants_toolkit;
use crate::ids;
use crate::observed::Observed;
use crate::step::{Refine, step};
use plinth_model::plan::Step;
use plinth_model::steps::{ClusterDns, ControlPlane, GpuRuntime, NodeLabels, NodeReady};
use plinth_model::{Domain, StepId, Version, Work};
use plinth_site::Desired;
use std::net::Ipv4Addr;

/// A name that every cluster answers by itself.
const OWN_NAME: Domain = Domain::fixed("kubernetes.default.svc.cluster.local");

/// All steps. `end`: the last one of the engine.
pub(crate) fn steps(asked: &Asked<'_>, observed: &Observed, engine: &dyn Engine, end: Option<&StepId>) -> Vec<Step> {
    let (desired, cluster) = (asked.desired, asked.cluster);
    let kubeconfig = engine.kubeconfig(asked).map(|step| step.needing(end.cloned()));
    let mut steps: Vec<Step> = kubeconfig.into_iter().collect();
    steps.extend(on_nodes(desired, observed, &cluster.members));
    steps.push(health(desired, cluster, engine));
    steps.extend(gpu_runtime(desired, cluster, engine));
    steps
}

/// What each of these nodes gets once it is in the cluster.
pub(crate) fn on_nodes(desired: &Desired, observed: &Observed, members: &[Member]) -> Vec<Step> {
    let members = members.iter().filter(|m| m.is_kubernetes_node());
    members.flat_map(|m| on_node(desired, m, observed.labelled.contains(&m.name))).collect()
}

fn join_id(desired: &Desired) -> StepId {
    ids::dns(&desired.runai.as_ref().map_or(OWN_NAME, |runai| runai.domain.clone()))
}

/// Labels, if there are any, then readiness.
fn on_node(desired: &Desired, member: &Member, labelled: bool) -> Vec<Step> {
    let kubeconfig = ids::kubeconfig(desired.name.as_str());
    let labels = labels(member, labelled).map(|s| s.needing([kubeconfig.clone()]));
    let before = labels.as_ref().map_or(kubeconfig, |s| s.id.clone());
    let version = desired.kubernetes.version.as_ref().map(Version::with_v);
    let with = version.as_ref().map(|version| format!(" with {version}")).unwrap_or_default();
    let reason = format!("pods are placed on a node only when it is Ready{with}");
    let work = Work::NodeReady(NodeReady { node: member.name.clone(), version });
    let ready = step(ids::ready(&member.name), work, reason);
    labels.into_iter().chain([ready.needing([before])]).collect()
}

/// Also where none are wanted any more, if there were some once: `labelled`.
fn labels(member: &Member, labelled: bool) -> Option<Step> {
    let wanted = !member.labels.is_empty() || !member.taints.is_empty();
    if !wanted && !labelled {
        return None;
    }
    let names: Vec<&str> = member.labels.keys().map(|l| l.rsplit('/').next().unwrap_or(l)).collect();
    let taints = if member.taints.is_empty() { String::new() } else { format!(", taints {}", member.taints.join(" ")) };
    let reason = if wanted {
        format!("schedulers find it by its labels: {}{taints}", names.join(", "))
    } else {
        "the site gives it no labels and taints any more; those of earlier runs go".to_owned()
    };
    let work = Work::NodeLabels(NodeLabels {
        node: member.name.clone(),
        labels: member.labels.clone(),
        taints: member.taints.clone(),
    });
    Some(step(ids::labels(&member.name), work, reason))
}

/// Behind readiness, since the pods that it looks at run on every node.
fn health(desired: &Desired, cluster: &Cluster, engine: &dyn Engine) -> Step {
    let asked = cluster.members.iter().filter(|m| m.is_quorum() && engine.reaches_nodes());
    let targets = asked.map(|m| Cluster::target(desired, m)).collect();
    let etcd = cluster.etcd().filter(|_| engine.reaches_nodes()).map(|m| m.name.clone()).collect();
    let work = Work::ControlPlane(ControlPlane { targets, etcd });
    let reason = "Ready nodes do not prove that etcd agrees, that certificates last, and that names resolve everywhere";
    let ready = cluster.members.iter().filter(|m| m.is_kubernetes_node()).map(|m| ids::ready(&m.name));
    step(ids::health(desired.name.as_str()), work, reason)
        .needing([ids::kubeconfig(desired.name.as_str())])
        .needing(ready)
}

/// Behind health, since the toolkit's pods can start again only when the cluster is well.
fn gpu_runtime(desired: &Desired, cluster: &Cluster, engine: &dyn Engine) -> Option<Step> {
    let targets: Vec<_> = cluster.with(Role::Gpu).map(|m| Cluster::target(desired, m)).collect();
    if targets.is_empty() || !engine.rewrites_containerd() || !wants_toolkit(desired) {
        return None;
    }
    let name = desired.name.as_str();
    let reason = "a run of Kubespray rewrites containerd's settings; GPU pods fail where NVIDIA's runtime was in them";
    let work = Work::GpuRuntime(GpuRuntime { targets });
    let step = step(ids::gpu_runtime(name), work, reason);
    Some(step.needing([ids::health(name)]))
}

/// The step that everything in the cluster waits for: one edge per component instead of one per component and node. It is the proof that
/// names resolve in the cluster: Run:ai's, or without it the cluster's own. Where no address of that is known, only what plinth put into
/// its DNS for a former domain goes. None where Run:ai has no address.
pub(crate) fn join(desired: &Desired, cluster: &Cluster, engine: &dyn Engine) -> Option<Step> {
    let (name, address, reason) = match &desired.runai {
        Some(runai) => {
            let reason = format!("pods of Run:ai call {} by name, also inside the cluster", runai.domain);
            (runai.domain.clone(), Some(cluster.ingress_address(desired)?), reason)
        }
        None => (OWN_NAME, api_service(desired), own_reason(desired)),
    };
    let own = desired.runai.is_none();
    let work = Work::ClusterDns(ClusterDns { name, address, own });
    let before =
        gpu_runtime(desired, cluster, engine).map_or_else(|| ids::health(desired.name.as_str()), |step| step.id);
    Some(step(join_id(desired), work, reason).needing([before]))
}

fn own_reason(desired: &Desired) -> String {
    match api_service(desired) {
        Some(_) => "components find each other by name".to_owned(),
        None => "a name that an earlier site file gave to the cluster's DNS must not stay".to_owned(),
    }
}

/// The API server's service address: the first one of the service range.
fn api_service(desired: &Desired) -> Option<Ipv4Addr> {
    desired.kubernetes.services?.hosts().next()
}
