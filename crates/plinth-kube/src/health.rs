//! Health of what a component brings.

use crate::api::{Call, KubeApi};
use crate::system::{daemon_set, deployment};
use async_trait::async_trait;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Node;
use kube::Resource;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::error::DiscoveryError;
use plinth_model::NodeName;
use plinth_model::steps::Health;
use plinth_world::kube::{HealthState, KubeHealth, SystemWorkload};
use plinth_world::{ClientResult, Context};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn seen(holds: bool, seen: impl Into<String>) -> HealthState {
    HealthState { holds, seen: seen.into() }
}

#[async_trait]
impl KubeHealth for KubeApi {
    async fn health(&self, ctx: &Context, namespace: &str, health: &Health) -> ClientResult<HealthState> {
        let call = self.call(ctx, format!("looking at the health of {namespace}")).await?;
        match health {
            Health::Workload { kind, name } => workload(&call, namespace, kind, name).await,
            Health::Field { resource, name, namespace, path, equals } => {
                let pointer = format!("/{}", path.trim_start_matches('.').replace('.', "/"));
                let judge = |object: &Value| {
                    let value = object
                        .pointer(&pointer)
                        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                    let words = value
                        .clone()
                        .map_or_else(|| format!("{path} is not set"), |value| format!("{path} is {value}"));
                    seen(value.as_deref() == Some(equals.as_str()), words)
                };
                object(&call, resource, namespace, name, judge).await
            }
            Health::Condition { resource, name, namespace, condition } => {
                object(&call, resource, namespace, name, |object| of_condition(object, condition)).await
            }
            Health::Allocatable { resource, nodes } => allocatable(&call, resource, nodes).await,
        }
    }
}

async fn workload(call: &Call<'_>, namespace: &str, kind: &str, name: &str) -> ClientResult<HealthState> {
    let found = match kind {
        "Deployment" => one::<Deployment>(call, namespace, name).await?.map(|one| deployment(&one)),
        "DaemonSet" => one::<DaemonSet>(call, namespace, name).await?.map(|one| daemon_set(&one)),
        "StatefulSet" => one::<StatefulSet>(call, namespace, name).await?.map(|one| stateful_set(&one)),
        other => {
            return Err(call.fails(format!("`{other}` is no workload"), "name a Deployment, DaemonSet or StatefulSet"));
        }
    };
    Ok(found.map_or_else(
        || seen(false, "not found"),
        |found| seen(found.ready >= found.wanted, format!("{}/{} ready", found.ready, found.wanted)),
    ))
}

async fn one<K>(call: &Call<'_>, namespace: &str, name: &str) -> ClientResult<Option<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send,
{
    let api = Api::<K>::namespaced(call.client(), namespace);
    call.read(|| api.get_opt(name)).await
}

fn stateful_set(one: &StatefulSet) -> SystemWorkload {
    let status = one.status.as_ref();
    let fresh = status.and_then(|status| status.observed_generation) >= one.metadata.generation;
    let count = |number: Option<i32>| u32::try_from(number.unwrap_or(0)).unwrap_or(0);
    SystemWorkload {
        kind: "StatefulSet",
        name: one.metadata.name.clone().unwrap_or_default(),
        ready: if fresh { count(status.and_then(|status| status.ready_replicas)) } else { 0 },
        wanted: count(one.spec.as_ref().and_then(|spec| spec.replicas).or(Some(1))),
    }
}

fn of_condition(object: &Value, condition: &str) -> HealthState {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions.and_then(|all| all.iter().find(|one| one["type"] == condition));
    let Some(found) = found else { return seen(false, format!("condition {condition} is not set")) };
    let status = found["status"].as_str().unwrap_or("Unknown");
    let why = found["message"].as_str().filter(|why| !why.is_empty() && status != "True");
    let why: String = why.map(|why| format!(": {why}")).unwrap_or_default().chars().take(200).collect();
    seen(status == "True", format!("condition {condition} is {status}{why}"))
}

/// An object of a kind that only its resource names: `clusterpolicies.nvidia.com`.
async fn object(
    call: &Call<'_>,
    resource: &str,
    namespace: &str,
    name: &str,
    judge: impl Fn(&Value) -> HealthState,
) -> ClientResult<HealthState> {
    let Some(kind) = kind_of(call, resource).await? else {
        return Ok(seen(false, format!("the API server does not know {resource}")));
    };
    let client = call.client();
    let api: Api<DynamicObject> = if namespace.is_empty() {
        Api::all_with(client, &kind)
    } else {
        Api::namespaced_with(client, namespace, &kind)
    };
    let found = call.read(|| api.get_opt(name)).await?;
    Ok(found.map_or_else(|| seen(false, "not found"), |found| judge(&serde_json::to_value(found).unwrap_or_default())))
}

pub(super) async fn kind_of(call: &Call<'_>, resource: &str) -> ClientResult<Option<ApiResource>> {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    let client = call.client();
    // A group without the kind is no answer of a server that has just started either.
    let missing = || kube::Error::Discovery(DiscoveryError::MissingResource(resource.to_owned()));
    let look = || async {
        let kinds = kube::discovery::group(&client, group).await?.recommended_resources();
        kinds.into_iter().map(|(kind, _)| kind).find(|kind| kind.plural == plural).ok_or_else(missing)
    };
    call.find(look).await
}

async fn allocatable(call: &Call<'_>, resource: &str, wanted: &[NodeName]) -> ClientResult<HealthState> {
    if wanted.is_empty() {
        return Ok(seen(false, format!("no node is named that should offer {resource}")));
    }
    let mut words = Vec::new();
    let mut lacking = 0;
    let nodes = Api::<Node>::all(call.client());
    for node in wanted {
        let found = call.read(|| nodes.get_opt(node.as_str())).await?;
        let offered = found
            .and_then(|found| found.status?.allocatable?.remove(resource))
            .map_or_else(|| "0".to_owned(), |many| many.0);
        lacking += usize::from(offered == "0");
        words.push(format!("{node}: {offered}"));
    }
    Ok(seen(lacking == 0, words.join(", ")))
}
