//! Stage acceptance: proofs, with evidence.

use super::platform::Base;
use super::runai;
use crate::cluster::Cluster;
use crate::discover::Role;
use crate::facts::{private_authority, url};
use crate::ids;
use crate::step::{Refine, step};
use plinth_catalog::{Resolution, ResolvedComponent, RunaiNames, RunaiPart};
use plinth_model::plan::Step;
use plinth_model::steps::{AcceptanceCheck, Check, Health, RunaiTarget};
use plinth_model::{NodeName, Stage, StepId, Work};
use plinth_site::Desired;
use plinth_site::desired::Runai;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What says in Kubernetes that the metrics API is served.
const METRICS: &str = "v1beta1.metrics.k8s.io";

/// All checks of what the plan installs; what is off is not checked.
pub(super) fn steps(
    desired: &Desired,
    cluster: &Cluster,
    resolution: &Resolution,
    names: &RunaiNames,
    (base, outside): (&Base<'_>, Vec<String>),
) -> Vec<Step> {
    let mut steps = kubernetes(desired, cluster, resolution, base);
    if !cut_into_kinds(desired) {
        steps.extend(gpu(desired, cluster, resolution, base));
    }
    steps.extend(brought(desired, resolution, base));
    steps.extend(dns_out(desired, cluster, outside, base));
    if let Some(runai) = &desired.runai {
        steps.extend(dns(desired, runai, cluster, base));
        steps.extend(ingress(runai, cluster.ingress_address(desired), resolution, names));
    }
    steps.extend(storage(desired, resolution, base));
    if let (Some(runai), Some(_)) = (&desired.runai, runai::part(resolution, RunaiPart::Cluster)) {
        let target = runai::target(runai, resolution, names, cluster.ingress_address(desired));
        steps.push(connected(runai, cluster, target.clone()));
        steps.extend(workload(desired, runai, cluster, target));
    }
    steps.retain(|step| !desired.checks.skip.iter().any(|skipped| skipped == step.id.verb()));
    steps
}

/// Kubernetes itself: nodes, system, network of the pods, metrics.
fn kubernetes(desired: &Desired, cluster: &Cluster, resolution: &Resolution, base: &Base<'_>) -> Vec<Step> {
    let site = desired.name.as_str();
    let nodes = kubernetes_nodes(cluster);
    let ready = Check::Nodes { nodes: nodes.clone() };
    let mut steps = vec![
        check(ids::check_nodes(site), ready, "every node of the site must be Ready").needing([base.join()]),
        check(ids::check_system(site), Check::System, "what keeps the cluster going must run").needing([base.join()]),
    ];
    if nodes.len() > 1 {
        let image = desired.checks.image.clone();
        let work = Check::PodNetwork { nodes: nodes.clone(), asking: Vec::new(), image };
        let reason = "Ready nodes do not prove that their pods reach each other";
        steps.push(check(ids::check_pod_network(site), work, reason).needing([base.join()]));
    }
    let metrics: Vec<StepId> = resolution.components.iter().filter(|c| serves_metrics(c)).map(ids::end).collect();
    if !metrics.is_empty() {
        let reason = "autoscalers and `kubectl top` ask the metrics API";
        steps.push(check(ids::check_metrics(site), Check::Metrics { nodes }, reason).needing(metrics));
    }
    steps
}

fn kubernetes_nodes(cluster: &Cluster) -> Vec<NodeName> {
    cluster.members.iter().filter(|member| member.is_kubernetes_node()).map(|member| member.name.clone()).collect()
}

fn serves_metrics(component: &ResolvedComponent) -> bool {
    component.release.health.iter().any(|rule| matches!(rule, Health::Condition { name, .. } if name == METRICS))
}

fn check(id: StepId, check: Check, reason: impl Into<Arc<str>>) -> Step {
    step(id, Work::AcceptanceCheck(AcceptanceCheck { check }), reason)
}

/// Whether GPUs are cut into instances of several kinds: each has a resource of its own then, and none may be left that is called a GPU.
fn cut_into_kinds(desired: &Desired) -> bool {
    desired.platform.gpu.mig == "mixed"
}

/// All GPUs, and a pod per GPU node, behind whatever makes GPUs allocatable.
fn gpu(desired: &Desired, cluster: &Cluster, resolution: &Resolution, base: &Base<'_>) -> Vec<Step> {
    let offering: Vec<StepId> = resolution.components.iter().filter(|c| offers_gpus(c)).map(ids::end).collect();
    let nodes: Vec<NodeName> = cluster.with(Role::Gpu).map(|m| m.name.clone()).collect();
    let mut steps = Vec::new();
    if !offering.is_empty() && !nodes.is_empty() {
        let replicas = desired.platform.gpu.time_slicing.unwrap_or(1);
        let resource = desired.platform.gpu.resource().to_owned();
        let work = Check::GpuCapacity { nodes: nodes.clone(), replicas, resource };
        let reason = "every GPU that the driver sees must be there for pods";
        steps.push(check(ids::check_gpu_capacity(desired.name.as_str()), work, reason).needing(offering.clone()));
    }
    let before = if offering.is_empty() { vec![base.join()] } else { offering };
    steps.extend(nodes.into_iter().map(|node| {
        let (image, resource) = (desired.checks.gpu_image.clone(), desired.platform.gpu.resource().to_owned());
        let work = Check::GpuPod { node: node.clone(), image, resource };
        let reason = "a pod that asks for one GPU must run there and see it";
        check(ids::check_gpu(&node), work, reason).needing(before.clone())
    }));
    steps
}

/// What components bring, each behind its component; a snapshot is taken by whoever brings the volumes.
fn brought<'a>(
    desired: &'a Desired,
    resolution: &'a Resolution,
    base: &'a Base<'_>,
) -> impl Iterator<Item = Step> + 'a {
    let platform = move || resolution.components.iter().filter(|c| c.stage == Stage::Platform).map(ids::end);
    let of = move |component: &'a ResolvedComponent| component.checks.iter().map(move |one| (component, one));
    resolution.components.iter().flat_map(of).map(move |(component, one)| {
        let id = StepId::new("checks", one.check.verb(), desired.name.as_str());
        let step = check(id, one.check.clone(), one.reason.clone()).needing([ids::end(component)]);
        let with_volumes = matches!(one.check, Check::Snapshot { .. });
        if with_volumes { step.needing(platform()).needing(base.leaving()) } else { step }
    })
}

/// None without a name to ask for.
fn dns_out(desired: &Desired, cluster: &Cluster, names: Vec<String>, base: &Base<'_>) -> Option<Step> {
    if names.is_empty() {
        return None;
    }
    let nodes = kubernetes_nodes(cluster);
    let reason = format!("pods must resolve {}, which the cluster itself does not know", names.join(" and "));
    let work = Check::DnsOut { nodes, names, image: desired.checks.image.clone() };
    Some(check(ids::check_dns_out(desired.name.as_str()), work, reason).needing([base.join()]))
}

fn offers_gpus(component: &ResolvedComponent) -> bool {
    let rules = component.release.health.iter().chain(&component.objects_health);
    rules.into_iter().any(|rule| matches!(rule, Health::Allocatable { .. }))
}

fn dns(desired: &Desired, runai: &Runai, cluster: &Cluster, base: &Base<'_>) -> Option<Step> {
    let address = cluster.ingress_address(desired)?;
    let (name, image) = (runai.domain.clone(), desired.checks.image.clone());
    let work = Check::Dns { name, address, nodes: kubernetes_nodes(cluster), image };
    let reason = format!("a pod must find {} at the ingress", runai.domain);
    Some(check(ids::check_dns(&runai.domain), work, reason).needing([base.join()]))
}

/// Behind the issuer, which is waited for: right after its release the control plane still starts, and the ingress has nobody to ask. Nothing
/// answers at the root of a cluster whose control plane is elsewhere, but its certificate is there once the cluster is connected; none where
/// plinth does not install that part.
fn ingress(runai: &Runai, address: Option<Ipv4Addr>, resolution: &Resolution, names: &RunaiNames) -> Option<Step> {
    let nobody_behind = runai.control_plane.is_some();
    let before = if nobody_behind {
        runai::part(resolution, RunaiPart::Cluster).map(|_| ids::connected(&runai.cluster))?
    } else {
        ids::issuer(&runai.domain)
    };
    let certificate = private_authority(runai).then(|| names.certificate.clone());
    let work = Check::Ingress { url: url(runai), address, certificate, nobody_behind };
    let reason = format!("{} must answer with the certificate that users are told to trust", url(runai));
    let step = check(ids::check_ingress(&runai.domain), work, reason);
    Some(step.needing([before]).needing([ids::certificate(&names.certificate)]))
}

/// Behind every component of the platform: any of them may bring the default storage class. None without any.
fn storage(desired: &Desired, resolution: &Resolution, base: &Base<'_>) -> Option<Step> {
    let platform: Vec<StepId> =
        resolution.components.iter().filter(|c| c.stage == Stage::Platform).map(ids::end).collect();
    if platform.is_empty() {
        return None;
    }
    let reason = "a claim without a class must bind, as databases make them";
    let check = check(ids::check_storage("default"), Check::Storage { image: desired.checks.image.clone() }, reason)
        .needing([base.join()])
        .needing(platform)
        .needing(base.leaving());
    Some(check)
}

fn connected(runai: &Runai, cluster: &Cluster, target: RunaiTarget) -> Step {
    let nodes = cluster.with(Role::Gpu).map(|m| m.name.clone()).collect();
    let work = Check::Runai { target: Box::new(target), nodes };
    let reason = "Run:ai must call the cluster connected and list every GPU node";
    check(ids::check_runai(&runai.cluster), work, reason).needing([ids::connected(&runai.cluster)])
}

/// In the site's first project; none where the site makes none: a workload of somebody's project is not ours to start.
fn workload(desired: &Desired, runai: &Runai, cluster: &Cluster, target: RunaiTarget) -> Option<Step> {
    let project = runai.departments.iter().flat_map(|department| &department.projects).next()?.name.clone();
    let gpus = u32::from(cluster.with(Role::Gpu).next().is_some() && !cut_into_kinds(desired));
    let image = if gpus > 0 { &desired.checks.gpu_image } else { &desired.checks.image };
    let before = ids::project(&project);
    let work = Check::RunaiWorkload { target: Box::new(target), project, gpus, image: image.clone() };
    let reason = "a connected cluster does not prove that its scheduler places anything";
    let step = check(ids::check_runai_workload(&runai.cluster), work, reason);
    Some(step.needing([ids::connected(&runai.cluster)]).needing([before]))
}
