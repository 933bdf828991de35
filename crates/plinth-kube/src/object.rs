//! Namespaces, and objects of any kind.

use crate::api::{Call, KubeApi, OWNER};
use crate::failure::Cause;
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::Scope;
use plinth_model::steps::PodSecurity;
use plinth_model::{ObjectName, Version};
use plinth_world::kube::{KubeNamespaces, KubeObjects};
use plinth_world::{ClientResult, Context};
use serde_json::{Map, Value, json};

/// Label that Pod Security Admission enforces.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// Labels that only tell.
const TELL: [&str; 2] = ["pod-security.kubernetes.io/audit", "pod-security.kubernetes.io/warn"];
/// What the API server writes into every object by itself.
const SERVERS_OWN: [&str; 5] = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"];

#[async_trait]
impl KubeNamespaces for KubeApi {
    async fn namespace(&self, ctx: &Context, name: &str) -> ClientResult<Option<Option<PodSecurity>>> {
        let call = self.call(ctx, format!("looking at namespace {name}")).await?;
        let namespaces = Api::<Namespace>::all(call.client());
        let found = call.read(|| namespaces.get_opt(name)).await?;
        let Some(found) = found else { return Ok(None) };
        let level = found.metadata.labels.unwrap_or_default().remove(ENFORCE);
        Ok(Some(level.and_then(|level| serde_json::from_value(Value::String(level)).ok())))
    }

    async fn make_namespace(&self, ctx: &Context, name: &str, level: PodSecurity) -> ClientResult<()> {
        let call = self.call(ctx, format!("making namespace {name}")).await?;
        let labels: Map<String, Value> =
            [ENFORCE].iter().chain(&TELL).map(|label| ((*label).to_owned(), json!(level))).collect();
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        let namespaces = Api::<Namespace>::all(call.client());
        let (params, patch) = (PatchParams::apply(OWNER).force(), Patch::Apply(&object));
        call.write(|| namespaces.patch(name, &params, &patch)).await?;
        Ok(())
    }
}

#[async_trait]
impl KubeObjects for KubeApi {
    /// By a dry run on the server: what it would answer is compared with what is there.
    async fn diff(&self, ctx: &Context, objects: &[Value]) -> ClientResult<Vec<String>> {
        let call = self.call(ctx, "comparing objects").await?;
        let mut differences = Vec::new();
        for object in objects {
            let wanted = Wanted::read(&call, object).await?;
            differences.extend(difference(&call, &wanted).await?);
        }
        Ok(differences)
    }

    async fn apply(&self, ctx: &Context, objects: &[Value]) -> ClientResult<()> {
        let call = self.call(ctx, "applying objects").await?;
        for object in objects {
            let wanted = Wanted::read(&call, object).await?;
            let api = wanted.api(&call);
            let (params, patch) = (PatchParams::apply(OWNER).force(), Patch::Apply(object));
            call.write(|| api.patch(&wanted.name, &params, &patch)).await?;
        }
        Ok(())
    }

    async fn version(&self, ctx: &Context, object: &ObjectName) -> ClientResult<Option<Version>> {
        let call = self.call(ctx, format!("reading the version of {object}")).await?;
        let Some(api) = place(&call, object).await? else { return Ok(None) };
        let found = call.read(|| api.get_opt(&object.name)).await?;
        let said = found.and_then(|found| Some(found.data.pointer("/status/version")?.as_str()?.to_owned()));
        let Some(said) = said.filter(|said| !said.is_empty()) else { return Ok(None) };
        match said.parse() {
            Ok(version) => Ok(Some(version)),
            Err(_) => {
                let shown: String = said.chars().take(60).collect();
                let attempt = "look at its status: its operator writes it";
                Err(call.fails(format!("{object} says `{shown}` at status.version, which is no version"), attempt))
            }
        }
    }

    async fn present(&self, ctx: &Context, objects: &[ObjectName]) -> ClientResult<Vec<ObjectName>> {
        let call = self.call(ctx, "looking for objects").await?;
        let mut present = Vec::new();
        for object in objects {
            let Some(api) = place(&call, object).await? else { continue };
            if call.read(|| api.get_metadata_opt(&object.name)).await?.is_some() {
                present.push(object.clone());
            }
        }
        Ok(present)
    }

    /// In the background: what an object owns is removed behind it.
    async fn remove(&self, ctx: &Context, objects: &[ObjectName]) -> ClientResult<()> {
        let call = self.call(ctx, "removing objects").await?;
        for object in objects {
            let Some(api) = place(&call, object).await? else { continue };
            let params = DeleteParams::background();
            match call.attempt(|| api.delete(&object.name, &params)).await {
                Ok(_) => {}
                Err(failure) if failure.cause == Cause::NotFound => {}
                Err(failure) => return Err(call.error(failure)),
            }
        }
        Ok(())
    }
}

/// Where objects like this one are found; none when the API server does not know the kind.
pub(super) async fn place(call: &Call<'_>, object: &ObjectName) -> ClientResult<Option<Api<DynamicObject>>> {
    let found = kind(call, &object.api_version, &object.kind).await?;
    Ok(found.map(|(resource, scope)| api(call, &resource, &scope, &object.namespace)))
}

pub(super) async fn kind(call: &Call<'_>, version: &str, kind: &str) -> ClientResult<Option<(ApiResource, Scope)>> {
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    let (known, client) = (GroupVersionKind::gvk(group, number, kind), call.client());
    let found = call.find(|| kube::discovery::pinned_kind(&client, &known)).await?;
    Ok(found.map(|(resource, capabilities)| (resource, capabilities.scope)))
}

pub(super) fn api(call: &Call<'_>, resource: &ApiResource, scope: &Scope, namespace: &str) -> Api<DynamicObject> {
    match (scope, namespace) {
        (Scope::Cluster, _) => Api::all_with(call.client(), resource),
        (Scope::Namespaced, "") => Api::default_namespaced_with(call.client(), resource),
        (Scope::Namespaced, namespace) => Api::namespaced_with(call.client(), namespace, resource),
    }
}

async fn difference(call: &Call<'_>, wanted: &Wanted<'_>) -> ClientResult<Option<String>> {
    let api = wanted.api(call);
    let live = call.read(|| api.get_opt(&wanted.name)).await?;
    let Some(live) = live else { return Ok(Some(format!("+ {}", wanted.title()))) };
    let (params, patch) = (PatchParams::apply(OWNER).force().dry_run(), Patch::Apply(wanted.object));
    let after = call.write(|| api.patch(&wanted.name, &params, &patch)).await?;
    let (live, after) = (plain(&live), plain(&after));
    Ok((live != after).then(|| format!("~ {}: {}", wanted.title(), changed(&live, &after).join(", "))))
}

/// One manifest, and where objects of its kind are found.
struct Wanted<'a> {
    object: &'a Value,
    kind: String,
    namespace: String,
    name: String,
    resource: ApiResource,
    scope: Scope,
}

impl<'a> Wanted<'a> {
    async fn read(call: &Call<'_>, object: &'a Value) -> ClientResult<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        if version.is_empty() || kind.is_empty() || name.is_empty() {
            return Err(call.fails("an object lacks apiVersion, kind or metadata.name", "complete the manifest"));
        }
        let Some((resource, scope)) = self::kind(call, &version, &kind).await? else {
            let attempt = "install the component that brings this kind first";
            return Err(call
                .fails(format!("the API server does not know kind {kind} of {version}"), attempt)
                .transient("a kind that was just installed is served after some seconds"));
        };
        Ok(Self { object, kind, namespace: text("/metadata/namespace"), name, resource, scope })
    }

    fn api(&self, call: &Call<'_>) -> Api<DynamicObject> {
        api(call, &self.resource, &self.scope, &self.namespace)
    }

    /// `KnativeServing knative-serving/knative-serving`.
    fn title(&self) -> String {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", self.kind, self.namespace, self.name)
    }
}

/// Without what the server writes by itself.
fn plain(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        SERVERS_OWN.iter().for_each(|name| drop(metadata.remove(*name)));
    }
    value
}

/// Fields in which two objects differ, to the second level: names only, since values may be anything.
fn changed(one: &Value, other: &Value) -> Vec<String> {
    let nothing = Map::new();
    let fields = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
    let differing = |one: &Map<String, Value>, other: &Map<String, Value>| -> Vec<String> {
        let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
    };
    let (one, other) = (fields(one), fields(other));
    let below = |name: String| {
        let inner = |all: &Map<String, Value>| all.get(&name).and_then(Value::as_object).unwrap_or(&nothing).clone();
        let inside = differing(&inner(&one), &inner(&other));
        if inside.is_empty() { vec![name] } else { inside.iter().map(|field| format!("{name}.{field}")).collect() }
    };
    differing(&one, &other).into_iter().flat_map(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_by_field_and_not_by_value() {
        let one = json!({"kind": "A", "spec": {"a": 1, "b": [1]}, "data": {"x": "secret"}});
        let other = json!({"kind": "A", "spec": {"a": 1, "b": [2]}, "data": "other", "more": true});
        assert_eq!(changed(&one, &other), ["data.x", "more", "spec.b"]);
        assert_eq!(changed(&one, &one), Vec::<String>::new());
    }
}
