//! Stage acceptance: proofs, with evidence.

use super::platform::{Base, end};
use super::runai;
use crate::cluster::Cluster;
use crate::discover::Role;
use crate::facts::{private_authority, url};
use crate::ids;
use crate::step::{Refine, step};
use plinth_catalog::{Resolution, ResolvedComponent, RunaiNames, RunaiPart};
use plinth_model::plan::Step;
use plinth_model::steps::{AcceptanceCheck, Check, Health, RunaiTarget};
use plinth_model::{Stage, StepId, Work};
use plinth_site::Desired;
use plinth_site::desired::Runai;
use std::sync::Arc;

/// All checks of what the plan installs; what is off is not checked.
pub(super) fn steps(
    desired: &Desired,
    cluster: &Cluster,
    resolution: &Resolution,
    names: &RunaiNames,
    base: &Base<'_>,
) -> Vec<Step> {
    let mut steps = gpu(cluster, resolution, base);
    if let Some(runai) = &desired.runai {
        steps.extend(dns(desired, runai, cluster, base));
        steps.push(ingress(runai, runai::control_plane(resolution, base), names));
    }
    steps.extend(storage(resolution, base));
    if let (Some(runai), Some(_)) = (&desired.runai, runai::part(resolution, RunaiPart::Cluster)) {
        let target = runai::target(runai, resolution, names, cluster.ingress_address(desired));
        steps.push(connected(runai, cluster, target));
    }
    steps
}

fn check(id: StepId, check: Check, reason: impl Into<Arc<str>>) -> Step {
    step(id, Work::AcceptanceCheck(AcceptanceCheck { check }), reason)
}

/// A pod per GPU node, behind whatever makes GPUs allocatable.
fn gpu(cluster: &Cluster, resolution: &Resolution, base: &Base<'_>) -> Vec<Step> {
    let before: Vec<StepId> = match resolution.components.iter().filter(|c| offers_gpus(c)).map(end).collect::<Vec<_>>()
    {
        none if none.is_empty() => vec![base.join()],
        some => some,
    };
    let on_node = |node: &plinth_model::NodeName| {
        let work = Check::GpuPod { node: node.clone() };
        let reason = "a pod that asks for one GPU must run there and see it";
        check(ids::check_gpu(node), work, reason).needing(before.clone())
    };
    cluster.with(Role::Gpu).map(|m| on_node(&m.name)).collect()
}

fn offers_gpus(component: &ResolvedComponent) -> bool {
    let rules = component.release.health.iter().chain(&component.objects_health);
    rules.into_iter().any(|rule| matches!(rule, Health::Allocatable { .. }))
}

fn dns(desired: &Desired, runai: &Runai, cluster: &Cluster, base: &Base<'_>) -> Option<Step> {
    let address = cluster.ingress_address(desired)?;
    let work = Check::Dns { name: runai.domain.clone(), address };
    let reason = format!("a pod must find {} at the ingress", runai.domain);
    Some(check(ids::check_dns(&runai.domain), work, reason).needing([base.join()]))
}

fn ingress(runai: &Runai, before: StepId, names: &RunaiNames) -> Step {
    let certificate = private_authority(runai).then(|| names.certificate.clone());
    let work = Check::Ingress { url: url(runai), certificate };
    let reason = format!("{} must answer with the certificate that users are told to trust", url(runai));
    check(ids::check_ingress(&runai.domain), work, reason)
        .needing([before])
        .needing([ids::certificate(&names.certificate)])
}

/// Behind every component of the platform: any of them may bring the default storage class. None without any.
fn storage(resolution: &Resolution, base: &Base<'_>) -> Option<Step> {
    let platform: Vec<StepId> = resolution.components.iter().filter(|c| c.stage == Stage::Platform).map(end).collect();
    if platform.is_empty() {
        return None;
    }
    let reason = "a claim without a class must bind, as databases make them";
    let check = check(ids::check_storage("default"), Check::Storage, reason)
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
