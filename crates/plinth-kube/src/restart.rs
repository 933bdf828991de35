//! Pods that read a secret and do not follow it, and their restart.
//!
//! A pod has the present content when it began after the secret was last changed by us, which the API server dates itself (managed
//! fields), or when it carries the mark of a restart for that change. Nothing here looks into a secret. Sources: Kubernetes documentation,
//! "Secrets" (a mounted secret is updated, but not with subPath; a variable never is) and `kubectl rollout restart` (a mark in the pod
//! template, which the workload's own strategy carries out).
//!
//! Not covered: pods without an owner, which nobody would start again; pods of Jobs, which end; init containers that copied the content
//! elsewhere.

use crate::api::{Call, KubeApi, OWNER};
use crate::failure::{Cause, Failure};
use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Secret, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use plinth_model::amount;
use plinth_world::kube::{Behind, KubeRestarts};
use plinth_world::{ClientResult, Context};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::BTreeMap;

/// In the pod template: the change of the secret for which it was restarted.
const MARK: &str = "plinth.dev/restarted-for";
/// A Deployment's pods belong to a set that is named after it and this label.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// How a pod reads a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Its files follow the secret.
    Follows,
    /// It keeps what it had when it began.
    Keeps,
}

/// A workload as far as it matters here.
struct Workload {
    kind: &'static str,
    name: String,
    /// Of its template.
    reads: Option<Use>,
    wanted: i32,
    ready: i32,
    /// Its controller has seen the present template, and all pods are of it.
    rolled: bool,
}

#[async_trait]
impl KubeRestarts for KubeApi {
    async fn behind(
        &self,
        ctx: &Context,
        namespace: &str,
        secret: &str,
        read_at_start: bool,
    ) -> ClientResult<Vec<Behind>> {
        let call = self.call(ctx, format!("looking who reads secret {namespace}/{secret}")).await?;
        let api = Api::<Secret>::namespaced(call.client(), namespace);
        let Some(found) = call.read(|| api.get_metadata_opt(secret)).await? else { return Ok(Vec::new()) };
        let changed = changed(&found.metadata);
        let pods = list::<Pod>(&call, namespace).await?;
        let workloads = workloads(&call, namespace, secret).await?;
        Ok(judged(&pods, &workloads, (secret, read_at_start), changed))
    }

    async fn restart(&self, ctx: &Context, namespace: &str, secret: &str, behind: &[Behind]) -> ClientResult<()> {
        let call = self.call(ctx, format!("restarting what reads secret {namespace}/{secret}")).await?;
        let api = Api::<Secret>::namespaced(call.client(), namespace);
        let found = call.read(|| api.get_metadata(secret)).await?;
        let mark = mark(secret, changed(&found.metadata));
        for one in behind {
            let done = match one.kind.as_str() {
                "Deployment" => marked::<Deployment>(&call, namespace, &one.name, &mark).await,
                "StatefulSet" => marked::<StatefulSet>(&call, namespace, &one.name, &mark).await,
                "DaemonSet" => marked::<DaemonSet>(&call, namespace, &one.name, &mark).await,
                _ => ended(&call, namespace, &one.old).await,
            };
            done.map_err(|failure| call.error(failure))?;
        }
        Ok(())
    }
}

async fn list<K>(call: &Call<'_>, namespace: &str) -> ClientResult<Vec<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send,
{
    let (api, params) = (Api::<K>::namespaced(call.client(), namespace), ListParams::default());
    Ok(call.read(|| api.list(&params)).await?.items)
}

async fn workloads(call: &Call<'_>, namespace: &str, secret: &str) -> ClientResult<Vec<Workload>> {
    let reads = |spec: Option<&PodSpec>| spec.and_then(|spec| reads(spec, secret));
    let deployments = list::<Deployment>(call, namespace).await?.into_iter().filter_map(|one| {
        let (spec, status) = (one.spec?, one.status.unwrap_or_default());
        let wanted = spec.replicas.unwrap_or(1);
        let seen = status.observed_generation >= one.metadata.generation;
        let rolled = seen && status.updated_replicas.unwrap_or(0) >= wanted && status.replicas.unwrap_or(0) <= wanted;
        let (reads, ready) = (reads(spec.template.spec.as_ref()), status.ready_replicas.unwrap_or(0));
        Some(Workload { kind: "Deployment", name: one.metadata.name?, reads, wanted, ready, rolled })
    });
    let stateful = list::<StatefulSet>(call, namespace).await?.into_iter().filter_map(|one| {
        let (spec, status) = (one.spec?, one.status.unwrap_or_default());
        let wanted = spec.replicas.unwrap_or(1);
        let rolled =
            status.observed_generation >= one.metadata.generation && status.update_revision == status.current_revision;
        let (reads, ready) = (reads(spec.template.spec.as_ref()), status.ready_replicas.unwrap_or(0));
        Some(Workload { kind: "StatefulSet", name: one.metadata.name?, reads, wanted, ready, rolled })
    });
    let daemons = list::<DaemonSet>(call, namespace).await?.into_iter().filter_map(|one| {
        let (spec, status) = (one.spec?, one.status.unwrap_or_default());
        let wanted = status.desired_number_scheduled;
        let seen = status.observed_generation >= one.metadata.generation;
        let rolled = seen && status.updated_number_scheduled.unwrap_or(0) >= wanted;
        let reads = reads(spec.template.spec.as_ref());
        Some(Workload {
            kind: "DaemonSet",
            name: one.metadata.name?,
            reads,
            wanted,
            ready: status.number_ready,
            rolled,
        })
    });
    Ok(deployments.chain(stateful).chain(daemons).collect())
}

/// Who is behind: workloads that read the secret and have pods from before, or pods that are not ready; and pods from before that something
/// else made.
fn judged(
    pods: &[Pod],
    workloads: &[Workload],
    (secret, read_at_start): (&str, bool),
    changed: Timestamp,
) -> Vec<Behind> {
    let counts = |reads: Use| read_at_start || reads == Use::Keeps;
    let mut old: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| is_old(pod, secret, changed)) {
        let Some(reads) = pod.spec.as_ref().and_then(|spec| reads(spec, secret)) else { continue };
        let (Some(owner), Some(name)) = (owner(&pod.metadata), pod.metadata.name.clone()) else { continue };
        if counts(reads) {
            old.entry(owner).or_default().push(name);
        }
    }
    let mut behind = Vec::new();
    for one in workloads {
        let before = old.remove(&(one.kind.to_owned(), one.name.clone())).unwrap_or_default();
        let waits = one.reads.is_some_and(counts) && !(one.rolled && one.ready >= one.wanted);
        if !before.is_empty() || waits {
            let seen = match before.len() {
                0 => format!("{}/{} ready", one.ready, one.wanted),
                many => format!("{} from before the secret was changed", amount(many, "pod")),
            };
            behind.push(Behind { kind: one.kind.to_owned(), name: one.name.clone(), old: before, seen });
        }
    }
    behind.extend(old.into_iter().map(|((_, name), before)| {
        let seen = format!("{} from before the secret was changed", amount(before.len(), "pod"));
        Behind { kind: "Pod".to_owned(), name, old: before, seen }
    }));
    behind
}

/// It runs, and began before the secret was changed, and not because of that change. The API server dates in whole seconds: a pod of the
/// same second counts as old unless it is marked.
fn is_old(pod: &Pod, secret: &str, changed: Timestamp) -> bool {
    let meta = &pod.metadata;
    let over = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if meta.deletion_timestamp.is_some() || matches!(over, Some("Succeeded" | "Failed")) {
        return false;
    }
    let marked =
        meta.annotations.as_ref().and_then(|all| all.get(MARK)).is_some_and(|known| *known == mark(secret, changed));
    let began = meta.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    !marked && began.as_second() <= changed.as_second()
}

fn mark(secret: &str, changed: Timestamp) -> String {
    format!("{secret} {changed}")
}

/// When we last changed it; when it was made, where it is not ours.
fn changed(meta: &ObjectMeta) -> Timestamp {
    let fields = meta.managed_fields.iter().flatten();
    let ours = fields.filter(|entry| entry.manager.as_deref() == Some(OWNER)).filter_map(|entry| entry.time.as_ref());
    let made = meta.creation_timestamp.as_ref().map(|time| time.0);
    ours.map(|time| time.0).max().or(made).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What makes a pod anew, by kind and name; none: nobody does, or a Job, which ends.
fn owner(meta: &ObjectMeta) -> Option<(String, String)> {
    let OwnerReference { kind, name, .. } =
        meta.owner_references.iter().flatten().find(|one| one.controller == Some(true))?;
    let hash = meta.labels.as_ref().and_then(|labels| labels.get(TEMPLATE_HASH));
    match (kind.as_str(), hash) {
        ("Job", _) => None,
        ("ReplicaSet", Some(hash)) => {
            let deployment = name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
            Some(("Deployment".to_owned(), deployment.to_owned()))
        }
        _ => Some((kind.clone(), name.clone())),
    }
}

/// How it reads the secret, the most lasting way of several.
fn reads(spec: &PodSpec, secret: &str) -> Option<Use> {
    let volumes: Vec<&str> = spec
        .volumes
        .iter()
        .flatten()
        .filter(|volume| holds(volume, secret))
        .map(|volume| volume.name.as_str())
        .collect();
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.filter_map(|container| of_container(container, &volumes, secret)).max()
}

fn of_container(container: &Container, volumes: &[&str], secret: &str) -> Option<Use> {
    let of_variable = |from: Option<&str>| from == Some(secret);
    let single = container.env.iter().flatten().any(|variable| {
        let from = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
        of_variable(from.map(|from| from.name.as_str()))
    });
    let all = container.env_from.iter().flatten();
    let whole = all.filter_map(|from| from.secret_ref.as_ref()).any(|from| of_variable(Some(from.name.as_str())));
    let mounts = container.volume_mounts.iter().flatten().filter(|mount| volumes.contains(&mount.name.as_str()));
    let mounted = mounts
        .map(|mount| if mount.sub_path.is_some() || mount.sub_path_expr.is_some() { Use::Keeps } else { Use::Follows });
    mounted.chain((single || whole).then_some(Use::Keeps)).max()
}

fn holds(volume: &Volume, secret: &str) -> bool {
    let plain = volume.secret.as_ref().and_then(|source| source.secret_name.as_deref());
    let parts = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    plain == Some(secret) || parts.filter_map(|part| part.secret.as_ref()).any(|part| part.name == secret)
}

/// Sets the mark in the template. Whoever manages the workload otherwise keeps all its other fields.
async fn marked<K>(call: &Call<'_>, namespace: &str, name: &str, mark: &str) -> Result<(), Failure>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send,
{
    let api = Api::<K>::namespaced(call.client(), namespace);
    let patch = Patch::Merge(json!({"spec": {"template": {"metadata": {"annotations": {MARK: mark}}}}}));
    let params = PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() };
    gone_is_fine(call.attempt(|| api.patch(name, &params, &patch)).await.map(drop))
}

async fn ended(call: &Call<'_>, namespace: &str, pods: &[String]) -> Result<(), Failure> {
    let (api, params) = (Api::<Pod>::namespaced(call.client(), namespace), DeleteParams::default());
    for pod in pods {
        gone_is_fine(call.attempt(|| api.delete(pod, &params)).await.map(drop))?;
    }
    Ok(())
}

fn gone_is_fine(done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(failure) if failure.cause == Cause::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
#[path = "restart_tests.rs"]
mod tests;
