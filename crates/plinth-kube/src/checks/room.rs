//! A namespace of its own for the test objects of one check. It goes with all that is in it when the check ends; what a check that was
//! killed left behind goes before the next one begins.

use crate::api::{Call, OWNER};
use crate::failure::Cause;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Resource;
use kube::api::{Api, DeleteParams, ListParams, PostParams, Preconditions};
use plinth_model::Digest;
use plinth_world::{ClientResult, deadlines};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;

/// Says whose a namespace is.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Says for a check of which site it is, and so whether it may be removed.
const SITE: &str = "plinth.dev/check";
/// Longest name of a namespace (RFC 1123).
const LONGEST: usize = 63;
/// Objects that are made, or logs that are read, at the same time.
pub(super) const AT_ONCE: usize = 16;

/// A namespace for test objects.
pub(super) struct Room<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) name: String,
    uid: Option<String>,
}

/// A kind of object that stands in namespaces.
pub(super) trait Inside:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize + Send + Sync
{
}

impl<K> Inside for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
{
}

impl<'a> Room<'a> {
    /// Makes it again. Pods in it are held to the strictest Pod Security level.
    ///
    /// # Errors
    /// When one of that name belongs to somebody else, or an older one does not go.
    pub(super) async fn make(call: &'a Call<'a>, purpose: &str) -> ClientResult<Self> {
        let site = call.site().as_str();
        let name = named(site, purpose);
        clear_old(call).await?;
        clear(call, &name).await?;
        let labels = json!({MANAGED_BY: OWNER, SITE: site, "pod-security.kubernetes.io/enforce": "restricted"});
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        let object: Namespace = read(call, object)?;
        let (namespaces, params) = (Api::<Namespace>::all(call.client()), PostParams::default());
        let made = call.write(|| namespaces.create(&params, &object)).await?;
        Ok(Self { call, name, uid: made.metadata.uid })
    }

    /// Where objects of this kind stand in it.
    pub(super) fn api<K: Inside>(&self) -> Api<K> {
        Api::namespaced(self.call.client(), &self.name)
    }

    /// Makes an object in it.
    pub(super) async fn put<K: Inside>(&self, object: Value) -> ClientResult<()> {
        let object: K = read(self.call, object)?;
        let (api, params) = (self.api::<K>(), PostParams::default());
        self.call.write(|| api.create(&params, &object)).await.map(drop)
    }

    /// Makes many objects, several at a time.
    pub(super) async fn put_all<K: Inside>(&self, objects: Vec<Value>) -> ClientResult<()> {
        let made: Vec<_> = objects.into_iter().map(|object| self.put::<K>(object)).collect();
        stream::iter(made).buffer_unordered(AT_ONCE).try_collect::<()>().await
    }

    /// All objects of this kind in it.
    pub(super) async fn all<K: Inside>(&self) -> ClientResult<Vec<K>> {
        let (api, params) = (self.api::<K>(), ListParams::default());
        Ok(self.call.read(|| api.list(&params)).await?.items)
    }

    /// Ends these pods, and does not wait until they are gone.
    pub(super) async fn end(&self, pods: &[String]) -> ClientResult<()> {
        let (api, params) = (self.api::<Pod>(), DeleteParams::default());
        for pod in pods {
            match self.call.attempt(|| api.delete(pod, &params)).await {
                Err(failure) if failure.cause != Cause::NotFound => return Err(self.call.error(failure)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks for its removal with all that is in it, and does not wait: volumes may take long.
    pub(super) async fn leave(mut self) {
        remove(self.call, &std::mem::take(&mut self.name), self.uid.take()).await;
    }
}

impl Drop for Room<'_> {
    /// In the background, where the check was given up at its deadline or by a person: asked once, since nobody waits. What stays goes before
    /// the next check.
    fn drop(&mut self) {
        let (client, name, uid) = (self.call.client(), std::mem::take(&mut self.name), self.uid.take());
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !name.is_empty()
        {
            runtime.spawn(async move {
                let done = Api::<Namespace>::all(client).delete(&name, &only(uid)).await;
                done.err().inspect(|error| stays(&name, error));
            });
        }
    }
}

/// Only this very namespace, and not one that was made under its name since.
fn only(uid: Option<String>) -> DeleteParams {
    DeleteParams { preconditions: Some(Preconditions { uid, resource_version: None }), ..DeleteParams::background() }
}

async fn remove(call: &Call<'_>, name: &str, uid: Option<String>) {
    let (namespaces, params) = (Api::<Namespace>::all(call.client()), only(uid));
    if let Err(failure) = call.patiently(|| namespaces.delete(name, &params)).await
        && failure.cause != Cause::NotFound
    {
        stays(name, &failure.happened);
    }
}

fn stays(name: &str, why: &dyn std::fmt::Display) {
    tracing::warn!(%why, %name, "the namespace of a check stays until the next check");
}

fn read<K: DeserializeOwned>(call: &Call<'_>, object: Value) -> ClientResult<K> {
    let report = "this is a defect of plinth: report it";
    serde_json::from_value(object)
        .map_err(|error| call.fails(format!("a test object cannot be written: {error}"), report))
}

/// `plinth-check-SITE-PURPOSE`, shortened by a digest where it is too long.
fn named(site: &str, purpose: &str) -> String {
    let name = format!("plinth-check-{site}-{purpose}");
    if name.len() <= LONGEST { name } else { format!("plinth-check-{}", Digest::of_bytes(name.as_bytes()).short()) }
}

/// Removes what checks of this site left that are over for certain: their nodes may have left the site since.
async fn clear_old(call: &Call<'_>) -> ClientResult<()> {
    let namespaces = Api::<Namespace>::all(call.client());
    let params = ListParams::default().labels(&format!("{SITE}={},{MANAGED_BY}={OWNER}", call.site()));
    let now = call.ctx().clock().now();
    for found in call.read(|| namespaces.list(&params)).await?.items {
        let made = found.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let age =
            made.and_then(|made| std::time::Duration::try_from(now.duration_since(made)).ok()).unwrap_or_default();
        if age > deadlines::CHECK_ABANDONED && found.metadata.deletion_timestamp.is_none() {
            remove(call, found.metadata.name.as_deref().unwrap_or_default(), found.metadata.uid).await;
        }
    }
    Ok(())
}

/// Removes what an earlier check of this name left, and waits until it is gone.
async fn clear(call: &Call<'_>, name: &str) -> ClientResult<()> {
    let namespaces = Api::<Namespace>::all(call.client());
    let (clock, params) = (call.ctx().clock(), DeleteParams::background());
    let began = clock.elapsed();
    loop {
        let Some(found) = call.read(|| namespaces.get_opt(name)).await? else { return Ok(()) };
        if !is_ours(&found, call.site().as_str()) {
            let attempt = format!(
                "look at namespace {name}: plinth makes one of this name for a check, and this one is not its own"
            );
            return Err(call.fails(format!("namespace {name} belongs to somebody else; nothing was done"), attempt));
        }
        if found.metadata.deletion_timestamp.is_none() {
            match call.attempt(|| namespaces.delete(name, &params)).await {
                Ok(_) => {}
                Err(failure) if matches!(failure.cause, Cause::NotFound | Cause::Conflict) => {}
                Err(failure) => return Err(call.error(failure)),
            }
        }
        if clock.elapsed().saturating_sub(began) > deadlines::CHECK_ROOM {
            let attempt =
                format!("look at `kubectl get namespace {name} -o yaml`: its conditions say what holds it up");
            return Err(call.fails(format!("namespace {name} of an earlier check does not go"), attempt));
        }
        call.ctx().progress(0, 0, format!("waiting for namespace {name} of an earlier check to go"));
        clock.sleep(deadlines::CHECK_LOOK).await;
    }
}

fn is_ours(found: &Namespace, site: &str) -> bool {
    let labels = found.metadata.labels.as_ref();
    let has = |name: &str, value: &str| labels.and_then(|labels| labels.get(name)).is_some_and(|found| found == value);
    has(MANAGED_BY, OWNER) && has(SITE, site)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_too_long_and_only_ours_is_removed() {
        assert_eq!(named("lab", "storage"), "plinth-check-lab-storage");
        let long = named("lab", &format!("gpu-{}", "n".repeat(63)));
        assert!(long.len() <= LONGEST && long.starts_with("plinth-check-"), "{long}");
        let with =
            |labels: Value| -> Namespace { serde_json::from_value(json!({"metadata": {"labels": labels}})).unwrap() };
        assert!(is_ours(&with(json!({MANAGED_BY: OWNER, SITE: "lab"})), "lab"));
        assert!(!is_ours(&with(json!({MANAGED_BY: OWNER})), "lab"), "plinth makes other namespaces too");
        assert!(
            !is_ours(&with(json!({MANAGED_BY: OWNER, SITE: "other"})), "lab"),
            "another site's check may be at work in it"
        );
        assert!(!is_ours(&with(json!({MANAGED_BY: "Helm", SITE: "lab"})), "lab"));
        assert!(!is_ours(&with(json!({})), "lab"));
    }
}
