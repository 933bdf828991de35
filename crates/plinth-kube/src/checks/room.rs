//! A namespace of its own for the test objects of one check. It goes with all that is in it, however the check ends; what a check
//! that was killed left behind goes before the next one begins.

use crate::api::{Call, OWNER};
use crate::failure::Cause;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use plinth_model::Digest;
use plinth_world::{ClientResult, deadlines};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Says whose a namespace is, and whether it may be removed.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Says what it is for.
const PURPOSE: &str = "plinth.dev/check";
/// Longest name of a namespace (RFC 1123).
const LONGEST: usize = 63;

/// A namespace that is removed when this is dropped.
pub(super) struct Room<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) name: String,
}

impl<'a> Room<'a> {
    /// Makes it anew. Pods in it are held to the strictest Pod Security level.
    ///
    /// # Errors
    /// When one of that name belongs to somebody else, or an older one does not go.
    pub(super) async fn make(call: &'a Call<'a>, purpose: &str) -> ClientResult<Self> {
        let name = named(purpose);
        clear(call, &name).await?;
        let labels = json!({MANAGED_BY: OWNER, PURPOSE: "true", "pod-security.kubernetes.io/enforce": "restricted"});
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        let object: Namespace = read(call, object)?;
        let (namespaces, params) = (Api::<Namespace>::all(call.client()), PostParams::default());
        call.write(|| namespaces.create(&params, &object)).await?;
        Ok(Self { call, name })
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

    /// All objects of this kind in it.
    pub(super) async fn all<K: Inside>(&self) -> ClientResult<Vec<K>> {
        let (api, params) = (self.api::<K>(), ListParams::default());
        Ok(self.call.read(|| api.list(&params)).await?.items)
    }
}

/// A kind of object that stands in namespaces.
pub(super) trait Inside:
    kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
{
}

impl<K> Inside for K where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
{
}

fn read<K: DeserializeOwned>(call: &Call<'_>, object: Value) -> ClientResult<K> {
    let report = "this is a defect of plinth: report it";
    serde_json::from_value(object)
        .map_err(|error| call.fails(format!("a test object cannot be written: {error}"), report))
}

impl Drop for Room<'_> {
    /// In the background, also when the check was given up at its deadline: nobody waits for it.
    fn drop(&mut self) {
        let (client, name) = (self.call.client(), std::mem::take(&mut self.name));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = Api::<Namespace>::all(client).delete(&name, &DeleteParams::background()).await {
                    tracing::warn!(%error, %name, "the namespace of a check stays until the next check");
                }
            });
        }
    }
}

/// `plinth-check-PURPOSE`, shortened by a digest where it is too long.
fn named(purpose: &str) -> String {
    let name = format!("plinth-check-{purpose}");
    if name.len() <= LONGEST { name } else { format!("plinth-check-{}", Digest::of_bytes(purpose.as_bytes()).short()) }
}

/// Removes what an earlier check left, and waits until it is gone.
async fn clear(call: &Call<'_>, name: &str) -> ClientResult<()> {
    let namespaces = Api::<Namespace>::all(call.client());
    let (clock, params) = (call.ctx().clock(), DeleteParams::background());
    let began = clock.elapsed();
    loop {
        let Some(found) = call.read(|| namespaces.get_opt(name)).await? else { return Ok(()) };
        if !is_ours(found.metadata.labels.as_ref()) {
            let attempt = format!(
                "look at namespace {name}: plinth makes one of this name for a check, and this one is not plinth's"
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

fn is_ours(labels: Option<&BTreeMap<String, String>>) -> bool {
    let has = |name: &str, value: &str| labels.and_then(|labels| labels.get(name)).is_some_and(|found| found == value);
    has(MANAGED_BY, OWNER) && has(PURPOSE, "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_too_long_and_only_ours_is_removed() {
        assert_eq!(named("storage"), "plinth-check-storage");
        let long = named(&format!("gpu-{}", "n".repeat(63)));
        assert!(long.len() <= LONGEST && long.starts_with("plinth-check-"), "{long}");
        let labels = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert!(is_ours(Some(&labels(&[(MANAGED_BY, OWNER), (PURPOSE, "true")]))));
        assert!(!is_ours(Some(&labels(&[(MANAGED_BY, OWNER)]))), "plinth makes other namespaces too");
        assert!(!is_ours(Some(&labels(&[(MANAGED_BY, "Helm"), (PURPOSE, "true")]))));
        assert!(!is_ours(None));
    }
}
