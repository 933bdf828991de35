//! The behaviours of all kinds of steps: what looking tells, what acting does. Found by exhaustive matches on [`Work`], so a
//! new kind does not build before it can be looked at, carried out and explained.
//!
//! Looking never changes anything, with one exception: a `check` step is carried out by looking, and removes its test objects.

mod bcm;
mod check;
mod control_plane;
pub mod downloads;
mod existing;
pub mod explain;
mod facts;
mod gpu_runtime;
mod kubernetes;
mod kubespray;
mod node;
mod outcome;
mod platform;
mod release;
mod runai;
mod wait;

#[cfg(test)]
mod tests;

pub use explain::{EXPLANATIONS, Explanation, explain};
pub(crate) use node::{is_there, key_changed};

use crate::behaviour::{Behaviour, Probe, Probed, StepEnv};
use outcome::only_looks;
use plinth_model::steps::{
    AcceptanceCheck, BcmIdentity, Certificate, ClusterDns, ControlPlane, GpuRuntime, HelmRelease, KubeObjects,
    KubeSecret, Kubeconfig, KubesprayDownloads, KubesprayEnvironment, KubesprayInventory, KubesprayRecovery,
    KubesprayRemoval, KubesprayRun, KubespraySource, Namespace, NodeAccount, NodeConnect, NodeDownloads, NodeFacts,
    NodeLabels, NodeLeftovers, NodePrepare, NodeReady, NodeRegistries, NodeStorage, NodeStorageOld, RunaiConnected,
    RunaiIssuer, RunaiRegister,
};
use plinth_model::{Step, Work};
use plinth_world::ClientError;
use plinth_world::node::Registries;

/// The behaviours, looked up by the kind of a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kinds;

#[async_trait::async_trait]
impl Behaviour for Kinds {
    async fn probe(&self, step: &Step, env: &StepEnv) -> Result<Probed, ClientError> {
        match &step.work {
            Work::NodeFacts(NodeFacts { target, expected }) => facts::probe(env, target, expected).await,
            _ => probe(step, env).await.map(Probed::from),
        }
    }

    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        match &step.work {
            Work::BcmIdentity(_) | Work::NodeFacts(_) | Work::AcceptanceCheck(_) => Err(only_looks(step)),
            Work::NodeConnect(NodeConnect { target }) => node::pin(env, target).await,
            Work::NodeAccount(NodeAccount { target, account }) => node::make_account(env, target, account).await,
            Work::NodeStorage(NodeStorage { target, from, to }) => node::relocate(env, target, from, to).await,
            Work::NodeStorageOld(NodeStorageOld { target, from, to }) => {
                node::remove_old_storage(env, target, from, to).await
            }
            Work::NodePrepare(NodePrepare { target, wanted }) => node::prepare(env, target, wanted).await,
            Work::NodeRegistries(params) => node::set_registries(env, &params.target, &registries(params)).await,
            Work::KubespraySource(KubespraySource { release }) => kubespray::fetch(env, release).await,
            Work::KubesprayEnvironment(KubesprayEnvironment { release }) => {
                kubespray::make_environment(env, release).await
            }
            Work::KubesprayInventory(KubesprayInventory { files }) => kubespray::write_inventory(env, files).await,
            Work::KubesprayRun(KubesprayRun { release, targets, parts, .. }) => {
                kubespray::play(env, &kubespray::Wanted { release, targets, parts }).await
            }
            Work::KubesprayRemoval(KubesprayRemoval { release, targets, removal, parts }) => {
                kubespray::remove(env, &kubespray::Leaving { release, targets, removal, parts }).await
            }
            Work::KubesprayRecovery(KubesprayRecovery { release, targets, broken, parts }) => {
                kubespray::recover(env, &kubespray::Wanted { release, targets, parts }, broken).await
            }
            Work::NodeLeftovers(NodeLeftovers { target }) => node::clear_leftovers(env, target).await,
            Work::KubesprayDownloads(KubesprayDownloads { release, inputs, mirror }) => {
                downloads::fetch(env, release, inputs, mirror.as_deref()).await
            }
            Work::NodeDownloads(NodeDownloads { target, folder, groups, inputs }) => {
                downloads::push(env, target, folder, groups, inputs).await
            }
            _ => act_on_cluster(step, env).await,
        }
    }
}

/// Looks at every kind that answers no gate.
async fn probe(step: &Step, env: &StepEnv) -> Result<Probe, ClientError> {
    match &step.work {
        Work::BcmIdentity(BcmIdentity { endpoint, head_nodes }) => bcm::probe_identity(env, endpoint, head_nodes).await,
        Work::NodeConnect(NodeConnect { target }) => node::probe_host_key(env, target).await,
        Work::NodeAccount(NodeAccount { target, account }) => node::probe_account(env, target, account).await,
        Work::NodeFacts(_) => Err(only_looks(step)),
        Work::NodeStorage(NodeStorage { target, from, to }) => node::probe_storage(env, target, from, to).await,
        Work::NodeStorageOld(NodeStorageOld { target, from, to }) => {
            node::probe_old_storage(env, target, from, to).await
        }
        Work::NodePrepare(NodePrepare { target, wanted }) => node::probe_preparation(env, target, wanted).await,
        Work::NodeRegistries(params) => node::probe_registries(env, &params.target, &registries(params)).await,
        Work::KubespraySource(KubespraySource { release }) => kubespray::probe_source(env, release).await,
        Work::KubesprayEnvironment(KubesprayEnvironment { release }) => {
            kubespray::probe_environment(env, release).await
        }
        Work::KubesprayInventory(KubesprayInventory { files }) => kubespray::probe_inventory(env, files).await,
        Work::KubesprayRun(KubesprayRun { release, targets, parts, .. }) => {
            kubespray::probe_run(env, &kubespray::Wanted { release, targets, parts }).await
        }
        Work::KubesprayRemoval(KubesprayRemoval { release, targets, removal, parts }) => {
            kubespray::probe_removal(env, &kubespray::Leaving { release, targets, removal, parts }).await
        }
        Work::KubesprayRecovery(KubesprayRecovery { release, targets, broken, parts }) => {
            kubespray::probe_recovery(env, &kubespray::Wanted { release, targets, parts }, broken).await
        }
        Work::NodeLeftovers(NodeLeftovers { target }) => node::probe_leftovers(env, target).await,
        Work::KubesprayDownloads(KubesprayDownloads { release, inputs, .. }) => {
            downloads::probe(env, release, inputs).await
        }
        Work::NodeDownloads(NodeDownloads { target, folder, groups, inputs }) => {
            downloads::probe_node(env, target, folder, groups, inputs).await
        }
        Work::TakeOver(params) => existing::probe(env, params).await,
        Work::Kubeconfig(Kubeconfig { server, .. }) => kubernetes::probe_kubeconfig(env, server).await,
        Work::NodeLabels(NodeLabels { node, labels, taints }) => {
            kubernetes::probe_labels(env, node, labels, taints).await
        }
        Work::NodeReady(NodeReady { node, version }) => kubernetes::probe_ready(env, node, version.as_ref()).await,
        Work::ControlPlane(ControlPlane { targets, etcd }) => control_plane::probe(env, targets, etcd).await,
        Work::GpuRuntime(GpuRuntime { targets }) => gpu_runtime::probe(env, targets).await,
        Work::ClusterDns(ClusterDns { name, address }) => kubernetes::probe_dns(env, name, *address).await,
        Work::Certificate(Certificate { name, names, source }) => {
            platform::probe_certificate(env, name, names, source).await
        }
        Work::Namespace(Namespace { name, pod_security }) => platform::probe_namespace(env, name, *pod_security).await,
        Work::KubeSecret(KubeSecret { namespace, name, content, labels }) => {
            platform::probe_secret(env, &platform::Secret { namespace, name, content, labels }).await
        }
        Work::HelmRelease(HelmRelease { release }) => release::probe(env, release).await,
        Work::KubeObjects(KubeObjects { component, objects, health, .. }) => {
            platform::probe_objects(env, component, objects, health).await
        }
        Work::RunaiIssuer(RunaiIssuer { target }) => runai::probe_issuer(env, target).await,
        Work::RunaiRegister(RunaiRegister { target }) => runai::probe_registration(env, target).await,
        Work::RunaiConnected(RunaiConnected { target }) => runai::probe_connection(env, target).await,
        Work::AcceptanceCheck(AcceptanceCheck { check, .. }) => check::probe(env, check).await,
    }
}

/// Acts on what runs inside the cluster or belongs to it.
async fn act_on_cluster(step: &Step, env: &StepEnv) -> Result<String, ClientError> {
    match &step.work {
        Work::TakeOver(params) => existing::take_over(env, params).await,
        Work::Kubeconfig(Kubeconfig { target, server }) => kubernetes::fetch_kubeconfig(env, target, server).await,
        Work::NodeLabels(NodeLabels { node, labels, taints }) => kubernetes::label(env, node, labels, taints).await,
        Work::NodeReady(NodeReady { node, version }) => kubernetes::wait_ready(step, env, node, version.as_ref()).await,
        Work::ControlPlane(ControlPlane { targets, etcd }) => control_plane::wait(step, env, targets, etcd).await,
        Work::GpuRuntime(GpuRuntime { targets }) => gpu_runtime::restart(step, env, targets).await,
        Work::ClusterDns(ClusterDns { name, address }) => kubernetes::add_dns(env, name, *address).await,
        Work::Certificate(Certificate { name, names, source }) => {
            platform::make_certificate(env, name, names, source).await
        }
        Work::Namespace(Namespace { name, pod_security }) => platform::make_namespace(env, name, *pod_security).await,
        Work::KubeSecret(KubeSecret { namespace, name, content, labels }) => {
            platform::make_secret(env, &platform::Secret { namespace, name, content, labels }).await
        }
        Work::HelmRelease(HelmRelease { release }) => release::upgrade(step, env, release).await,
        Work::KubeObjects(KubeObjects { component, objects, health, .. }) => {
            platform::apply_objects(step, env, component, objects, health).await
        }
        Work::RunaiIssuer(RunaiIssuer { target }) => runai::wait_issuer(step, env, target).await,
        Work::RunaiRegister(RunaiRegister { target }) => runai::register(env, target).await,
        Work::RunaiConnected(RunaiConnected { target }) => runai::wait_connected(step, env, target).await,
        Work::BcmIdentity(_)
        | Work::NodeConnect(_)
        | Work::NodeAccount(_)
        | Work::NodeFacts(_)
        | Work::NodeStorage(_)
        | Work::NodeStorageOld(_)
        | Work::NodePrepare(_)
        | Work::NodeRegistries(_)
        | Work::KubespraySource(_)
        | Work::KubesprayEnvironment(_)
        | Work::KubesprayInventory(_)
        | Work::KubesprayRun(_)
        | Work::KubesprayRemoval(_)
        | Work::KubesprayRecovery(_)
        | Work::NodeLeftovers(_)
        | Work::KubesprayDownloads(_)
        | Work::NodeDownloads(_)
        | Work::AcceptanceCheck(_) => Err(only_looks(step)),
    }
}

fn registries(params: &NodeRegistries) -> Registries<'_> {
    let NodeRegistries { mirrors, mirrors_by_engine, logins, .. } = params;
    Registries { mirrors, mirrors_by_engine: *mirrors_by_engine, logins }
}
