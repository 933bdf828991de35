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
/// On the workload: how many of its pods were ready when it was restarted, and for which change. What was not ready before is not waited for.
const BEFORE: &str = "plinth.dev/ready-before-restart";
/// Pods of a workload that is told so are replaced only when somebody ends them.
const ON_DELETE: &str = "OnDelete";
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
    /// Its controller has seen the present template, and all pods that are to come are of it.
    rolled: bool,
    /// It was restarted for the present change, and had so many ready pods then.
    before: Option<i32>,
    /// A mark in its template starts nothing: it is paused, or waits for somebody to end its pods.
    by_hand: bool,
}

/// Pods that must be ready again.
fn needed(before: Option<i32>, wanted: i32) -> i32 {
    before.map_or(wanted, |before| before.min(wanted))
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
        let workloads = workloads(&call, namespace, secret, &mark(secret, changed)).await?;
        Ok(judged(&pods, &workloads, (secret, read_at_start), changed))
    }

    async fn restart(&self, ctx: &Context, namespace: &str, secret: &str, behind: &[Behind]) -> ClientResult<()> {
        let call = self.call(ctx, format!("restarting what reads secret {namespace}/{secret}")).await?;
        let api = Api::<Secret>::namespaced(call.client(), namespace);
        let found = call.read(|| api.get_metadata(secret)).await?;
        let mark = mark(secret, changed(&found.metadata));
        let known = workloads(&call, namespace, secret, &mark).await?;
        for one in behind {
            let seen = known.iter().find(|known| known.kind == one.kind && known.name == one.name);
            // One that was restarted already, and is restarted again in between, had more before.
            let ready = seen.map_or(0, |seen| seen.before.unwrap_or(seen.ready));
            let marks = (mark.as_str(), ready);
            let done = match one.kind.as_str() {
                "Deployment" => marked::<Deployment>(&call, namespace, &one.name, marks).await,
                "StatefulSet" => marked::<StatefulSet>(&call, namespace, &one.name, marks).await,
                "DaemonSet" => marked::<DaemonSet>(&call, namespace, &one.name, marks).await,
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

async fn workloads(call: &Call<'_>, namespace: &str, secret: &str, mark: &str) -> ClientResult<Vec<Workload>> {
    let reads = |spec: Option<&PodSpec>| spec.and_then(|spec| reads(spec, secret));
    let deployments = list::<Deployment>(call, namespace).await?.into_iter().filter_map(|one| {
        let (spec, status) = (one.spec?, one.status.unwrap_or_default());
        let (wanted, before) = (spec.replicas.unwrap_or(1), before(&one.metadata, mark));
        let seen = status.observed_generation >= one.metadata.generation;
        let rolled = seen && status.updated_replicas.unwrap_or(0) >= wanted && status.replicas.unwrap_or(0) <= wanted;
        let (reads, ready) = (reads(spec.template.spec.as_ref()), status.ready_replicas.unwrap_or(0));
        let (kind, by_hand) = ("Deployment", spec.paused == Some(true));
        Some(Workload { kind, name: one.metadata.name?, reads, wanted, ready, rolled, before, by_hand })
    });
    let stateful = list::<StatefulSet>(call, namespace).await?.into_iter().filter_map(|one| {
        let (spec, status) = (one.spec?, one.status.unwrap_or_default());
        let (wanted, before) = (spec.replicas.unwrap_or(1), before(&one.metadata, mark));
        let all = status.update_revision == status.current_revision
            || status.updated_replicas.unwrap_or(0) >= needed(before, wanted);
        let rolled = status.observed_generation >= one.metadata.generation && all;
        let (reads, ready) = (reads(spec.template.spec.as_ref()), status.ready_replicas.unwrap_or(0));
        let by_hand = spec.update_strategy.is_some_and(|how| how.type_.as_deref() == Some(ON_DELETE));
        let kind = "StatefulSet";
        Some(Workload { kind, name: one.metadata.name?, reads, wanted, ready, rolled, before, by_hand })
    });
    let daemons = list::<DaemonSet>(call, namespace).await?.into_iter().filter_map(|one| {
        let (spec, status) = (one.spec?, one.status.unwrap_or_default());
        let (wanted, before) = (status.desired_number_scheduled, before(&one.metadata, mark));
        let seen = status.observed_generation >= one.metadata.generation;
        let rolled = seen && status.updated_number_scheduled.unwrap_or(0) >= needed(before, wanted);
        let (reads, ready) = (reads(spec.template.spec.as_ref()), status.number_ready);
        let by_hand = spec.update_strategy.is_some_and(|how| how.type_.as_deref() == Some(ON_DELETE));
        let kind = "DaemonSet";
        Some(Workload { kind, name: one.metadata.name?, reads, wanted, ready, rolled, before, by_hand })
    });
    Ok(deployments.chain(stateful).chain(daemons).collect())
}

/// Ready pods at the restart for this change; none: it was not restarted for it.
fn before(meta: &ObjectMeta, mark: &str) -> Option<i32> {
    let (ready, of) = meta.annotations.as_ref()?.get(BEFORE)?.split_once(' ')?;
    ready.parse().ok().filter(|_| of == mark)
}

/// Who is behind: workloads that read the secret and have pods from before, or were restarted and have fewer ready pods than then; and pods from before that something
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
        // Whoever was not restarted has read what is there: if it is not ready, that has another cause.
        let needed = needed(one.before, one.wanted);
        let waits = one.reads.is_some_and(counts) && one.before.is_some() && !(one.rolled && one.ready >= needed);
        if !before.is_empty() || waits {
            let seen = match before.len() {
                0 => format!("{}/{needed} ready", one.ready),
                many => format!("{} from before the secret was changed", amount(many, "pod")),
            };
            let kind = if one.by_hand { "Pod" } else { one.kind };
            behind.push(Behind { kind: kind.to_owned(), name: one.name.clone(), old: before, seen });
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
async fn marked<K>(call: &Call<'_>, namespace: &str, name: &str, (mark, ready): (&str, i32)) -> Result<(), Failure>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send,
{
    let api = Api::<K>::namespaced(call.client(), namespace);
    let patch = Patch::Merge(json!({
        "metadata": {"annotations": {BEFORE: format!("{ready} {mark}")}},
        "spec": {"template": {"metadata": {"annotations": {MARK: mark}}}},
    }));
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
