//! What helm keeps of its releases: Secrets `sh.helm.release.v1.NAME.vN` of the type `helm.sh/release.v1`, with labels for owner, name,
//! revision and status (Helm's storage driver `secret`, the default; the same in Helm 3 and 4). A list of labels costs little,
//! however large the releases are.

use crate::api::KubeApi;
use crate::failure::Cause;
use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, PartialObjectMeta, Patch, PatchParams, Preconditions};
use plinth_model::{ReleaseName, Secret};
use plinth_world::helm::{ReleaseRecord, ReleaseRecords};
use plinth_world::{Cause as Known, ClientResult, Context};
use serde_json::{Value, json};

/// Type of these Secrets.
const TYPE: &str = "helm.sh/release.v1";
/// Key in them.
const KEY: &str = "release";
/// Labels that helm sets by itself.
const HELMS_OWN: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

#[async_trait]
impl ReleaseRecords for KubeApi {
    async fn records(&self, ctx: &Context, release: &ReleaseName) -> ClientResult<Vec<ReleaseRecord>> {
        let call = self.call(ctx, format!("looking at release {release}")).await?;
        let found = self.listings.of(&call, release).await?;
        let mut records: Vec<ReleaseRecord> = found.iter().filter_map(|found| record(found, release)).collect();
        records.sort_by_key(|record| record.revision);
        Ok(records)
    }

    async fn content(&self, ctx: &Context, release: &ReleaseName, revision: u32) -> ClientResult<Option<Secret>> {
        let call = self.call(ctx, format!("reading revision {revision} of release {release}")).await?;
        let api = Api::<KubeSecret>::namespaced(call.client(), &release.namespace);
        let name = secret_name(release, revision);
        let Some(found) = call.read(|| api.get_opt(&name)).await? else { return Ok(None) };
        let helms = found.type_.as_deref() == Some(TYPE);
        let bytes = found.data.and_then(|mut data| data.remove(KEY)).filter(|_| helms);
        let text = bytes.and_then(|bytes| String::from_utf8(bytes.0).ok());
        let refused = || {
            let happened = format!("Secret {name} has helm's labels and is none of helm's releases");
            call.fails(happened, "find out who made it, and remove it").because(Known::BadAnswer)
        };
        text.map(|text| Some(Secret::new(text))).ok_or_else(refused)
    }

    async fn remove_record(&self, ctx: &Context, release: &ReleaseName, record: &ReleaseRecord) -> ClientResult<()> {
        let call = self.call(ctx, format!("removing revision {} of release {release}", record.revision)).await?;
        let api = Api::<KubeSecret>::namespaced(call.client(), &release.namespace);
        let seen = Preconditions { uid: None, resource_version: Some(record.state.clone()) };
        let params = DeleteParams::default().preconditions(seen);
        let name = secret_name(release, record.revision);
        match call.attempt(|| api.delete(&name, &params)).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.cause == Cause::NotFound => Ok(()),
            Err(failure) => Err(call.error(failure)),
        }
    }

    async fn rewrite_record(
        &self,
        ctx: &Context,
        release: &ReleaseName,
        record: &ReleaseRecord,
        status: &str,
        content: &Secret,
    ) -> ClientResult<()> {
        let call =
            self.call(ctx, format!("marking revision {} of release {release} {status}", record.revision)).await?;
        let api = Api::<KubeSecret>::namespaced(call.client(), &release.namespace);
        let name = secret_name(release, record.revision);
        let patch = Patch::Merge(rewritten(record, status, content, ctx.clock().now()));
        let params = PatchParams::default();
        call.write(|| api.patch_metadata(&name, &params, &patch)).await.map(drop)
    }

    async fn definition_annotation(&self, ctx: &Context, definition: &str, key: &str) -> ClientResult<Option<String>> {
        let call = self.call(ctx, format!("looking at definition {definition}")).await?;
        let api = Api::<CustomResourceDefinition>::all(call.client());
        let found = call.read(|| api.get_metadata_opt(definition)).await?;
        let said = |found: PartialObjectMeta<_>| found.metadata.annotations.unwrap_or_default().remove(key);
        Ok(found.map(|found| said(found).unwrap_or_default()))
    }
}

/// The version that was seen in it makes the API server refuse it when there is another one.
fn rewritten(record: &ReleaseRecord, status: &str, content: &Secret, now: Timestamp) -> Value {
    let labels = json!({"status": status, "modifiedAt": now.as_second().to_string()});
    let content = ByteString(content.expose().as_bytes().to_vec());
    json!({"metadata": {"resourceVersion": record.state, "labels": labels}, "data": {KEY: content}})
}

fn secret_name(release: &ReleaseName, revision: u32) -> String {
    format!("sh.helm.release.v1.{}.v{revision}", release.name)
}

/// None for a Secret that only has the labels.
fn record(found: &PartialObjectMeta<KubeSecret>, release: &ReleaseName) -> Option<ReleaseRecord> {
    let metadata = &found.metadata;
    let labels = metadata.labels.as_ref()?;
    let revision = labels.get("version")?.parse().ok()?;
    let own = metadata.name.as_deref() == Some(secret_name(release, revision).as_str());
    let made = metadata.creation_timestamp.as_ref()?.0;
    let seconds = labels.get("modifiedAt").and_then(|seconds| seconds.parse().ok());
    let changed = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let others = labels.iter().filter(|(key, _)| !HELMS_OWN.contains(&key.as_str()));
    let record = ReleaseRecord {
        revision,
        status: labels.get("status")?.clone(),
        written: changed.map_or(made, |changed| changed.max(made)),
        labels: others.map(|(key, value)| (key.clone(), value.clone())).collect(),
        state: metadata.resource_version.clone()?,
        settled: metadata.managed_fields.iter().flatten().filter_map(|entry| Some(entry.time.as_ref()?.0)).max(),
    };
    own.then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, labels: serde_json::Value) -> Option<ReleaseRecord> {
        let metadata = json!({"name": name, "labels": labels, "resourceVersion": "7", "creationTimestamp": "2026-01-02T03:04:05Z",
            "managedFields": [{"manager": "helm", "time": "2026-01-02T03:04:05Z"}, {"manager": "plinth", "time": "2026-01-02T03:04:09Z"}]});
        let found: PartialObjectMeta<KubeSecret> =
            serde_json::from_value(json!({"metadata": metadata, "apiVersion": "v1", "kind": "Secret"})).ok()?;
        record(&found, &ReleaseName { namespace: "n".into(), name: "lws".into() })
    }

    #[test]
    fn a_record_is_told_by_name_and_labels() {
        let labels =
            json!({"name": "lws", "owner": "helm", "status": "failed", "version": "12", "modifiedAt": "1", "a": "b"});
        let found = read("sh.helm.release.v1.lws.v12", labels.clone());
        let want = ReleaseRecord {
            revision: 12,
            status: "failed".into(),
            written: "2026-01-02T03:04:05Z".parse().unwrap_or_default(),
            labels: vec![("a".into(), "b".into())],
            state: "7".into(),
            settled: "2026-01-02T03:04:09Z".parse().ok(),
        };
        assert_eq!(found, Some(want));
        assert_eq!(read("sh.helm.release.v1.lws.v1", labels), None, "another revision than its name says");
        let changed = json!({"status": "uninstalling", "version": "12", "modifiedAt": "1893456000"});
        let found = read("sh.helm.release.v1.lws.v12", changed).map(|found| found.written.to_string());
        assert_eq!(found.as_deref(), Some("2030-01-01T00:00:00Z"));
        for broken in [json!({"version": "x", "status": "a"}), json!({"version": "12"}), json!({})] {
            assert_eq!(read("sh.helm.release.v1.lws.v12", broken), None);
        }
    }
}
