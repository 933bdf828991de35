//! Step ids: a contract between plans, journals, simulations and tests.

use plinth_catalog::ResolvedComponent;
use plinth_model::steps::RotationPhase;
use plinth_model::{NodeName, StepId};
use std::collections::BTreeSet;

macro_rules! node_ids {
    ($($name:ident $area:literal $verb:literal;)*) => {$(
        pub(crate) fn $name(node: &NodeName) -> StepId {
            StepId::new($area, $verb, node.as_str())
        }
    )*};
}

macro_rules! ids {
    ($($name:ident $area:literal $verb:literal;)*) => {$(
        pub(crate) fn $name(target: &str) -> StepId {
            StepId::new($area, $verb, target)
        }
    )*};
}

node_ids! {
    connect "nodes" "connect";
    trust "nodes" "trust";
    account "nodes" "account";
    facts "nodes" "facts";
    storage "nodes" "storage";
    storage_old "nodes" "storage-old";
    prepare "nodes" "prepare";
    registries "nodes" "registries";
    node_downloads "nodes" "downloads";
    labels "kubernetes" "labels";
    ready "kubernetes" "ready";
    leftovers "nodes" "leftovers";
    check_gpu "checks" "gpu-pod";
}

ids! {
    identity "bcm" "identity";
    downloads "kubernetes" "downloads";
    deploy "kubernetes" "deploy";
    removal "kubernetes" "removal";
    recovery "kubernetes" "recovery";
    kubeconfig "kubernetes" "kubeconfig";
    health "kubernetes" "health";
    gpu_runtime "kubernetes" "gpu-runtime";
    dns "kubernetes" "dns";
    certificate "platform" "certificate";
    namespace "platform" "namespace";
    release "platform" "release";
    objects "platform" "objects";
    remove "platform" "remove";
    rollback "platform" "rollback";
    issuer "runai" "issuer";
    register "runai" "register";
    connected "runai" "connected";
    department "runai" "department";
    project "runai" "project";
    check_nodes "checks" "nodes";
    check_system "checks" "system";
    check_pod_network "checks" "pod-network";
    check_metrics "checks" "metrics";
    check_gpu_capacity "checks" "gpu-capacity";
    check_dns "checks" "dns";
    check_dns_out "checks" "dns-out";
    check_ingress "checks" "ingress";
    check_storage "checks" "storage";
    check_runai "checks" "runai";
    check_runai_workload "checks" "runai-workload";
}

/// The nodes to which these steps gave labels or taints.
pub fn labelled<'a>(steps: impl IntoIterator<Item = &'a StepId>) -> BTreeSet<NodeName> {
    let is_labels = |id: &&StepId| id.area() == "kubernetes" && id.verb() == "labels";
    steps.into_iter().filter(is_labels).filter_map(|id| NodeName::new(id.target()).ok()).collect()
}

/// The engine's own steps are named after it.
const KUBESPRAY: &str = "kubespray";

pub(crate) fn source() -> StepId {
    StepId::new("kubernetes", "source", KUBESPRAY)
}

pub(crate) fn environment() -> StepId {
    StepId::new("kubernetes", "environment", KUBESPRAY)
}

pub(crate) fn inventory() -> StepId {
    StepId::new("kubernetes", "inventory", KUBESPRAY)
}

pub(crate) fn secret(namespace: &str, name: &str) -> StepId {
    StepId::new("platform", "secret", &format!("{namespace}.{name}"))
}

/// A phase of a rotation in the state directory.
pub(crate) fn rotation(phase: RotationPhase, certificate: &str) -> StepId {
    StepId::new("platform", "rotation", &format!("{}.{certificate}", phase.word()))
}

/// A secret that is made of what changed in a phase of a rotation.
pub(crate) fn rotated_secret(phase: RotationPhase, namespace: &str, name: &str) -> StepId {
    StepId::new("platform", "secret", &format!("{}.{namespace}.{name}", phase.word()))
}

/// Who reads such a secret and does not follow it.
pub(crate) fn restart(phase: RotationPhase, namespace: &str, name: &str) -> StepId {
    StepId::new("platform", "restart", &format!("{}.{namespace}.{name}", phase.word()))
}

pub(crate) fn served(certificate: &str) -> StepId {
    StepId::new("platform", "served", certificate)
}

pub(crate) fn still_connected(phase: RotationPhase, cluster: &str) -> StepId {
    StepId::new("runai", "connected", &format!("{}.{cluster}", phase.word()))
}

/// The last step of a component.
pub(crate) fn end(component: &ResolvedComponent) -> StepId {
    match component.stages.last() {
        Some(stage) => objects(&staged(component, &stage.name)),
        None if component.objects.is_empty() => release(&component.name),
        None => objects(&component.name),
    }
}

/// `network-operator.policies`.
pub(crate) fn staged(component: &ResolvedComponent, stage: &str) -> String {
    format!("{}.{stage}", component.name)
}
