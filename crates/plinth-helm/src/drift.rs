//! Objects of a release that somebody changed or removed, for charts that were made of one file of objects. Such objects are the maker's to
//! the letter, so a dry run of the server tells what is otherwise. Objects of other charts are left to health rules: operators and webhooks
//! write into many of them. Definitions of kinds lie beside the templates (`crds/`), so helm's record has none of them: they are read from
//! the package. Not covered: definitions of a package that is not on this machine, while nothing else is otherwise.

use crate::crds;
use crate::documents;
use crate::failure::CLIENT;
use crate::local::LocalHelm;
use crate::package::of_package;
use crate::payload::Payload;
use plinth_model::amount;
use plinth_model::api_group::{group_of, is_of_cluster, is_own};
use plinth_model::steps::{CrdPolicy, Release};
use plinth_world::helm::marks;
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::{Map, Value};
use std::path::Path;

impl LocalHelm {
    /// Differences between what was applied and what is there, one line each; none for a chart of its maker.
    pub(super) async fn drift(
        &self,
        ctx: &Context,
        release: &Release,
        there: &Payload,
        doing: &str,
    ) -> ClientResult<Vec<String>> {
        if !release.of_objects {
            return Ok(Vec::new());
        }
        let definitions = match self.packages.at_hand(ctx, release).await? {
            Some(package) => beside(release, &package.file, doing)?,
            None => Vec::new(),
        };
        let mut lines = self.cluster.diff(ctx, &definitions).await?;
        // Without the definition there is no object of its kind, and the server compares none.
        if !lines.iter().any(|line| line.starts_with('+')) {
            lines.extend(self.cluster.diff(ctx, &applied(release, there, doing)?).await?);
        }
        Ok(lines)
    }

    /// Makes the objects what they were applied as. helm takes changed objects for what they are, and comes to none that is as it wrote it.
    pub(super) async fn put_right(
        &self,
        ctx: &Context,
        release: &Release,
        there: &Payload,
        drift: &[String],
        doing: &str,
    ) -> ClientResult<Vec<String>> {
        ctx.progress(0, 0, format!("{} of {} put right", amount(drift.len(), "object"), release.release));
        let package = self.packages.package(ctx, release).await?;
        let definitions = beside(release, &package.file, doing)?;
        if !definitions.is_empty() {
            crds::apply(ctx, &*self.cluster, &definitions, doing).await?;
        }
        self.cluster.apply(ctx, &applied(release, there, doing)?).await?;
        Ok(vec![format!("{} that somebody changed or removed put right", amount(drift.len(), "object"))])
    }
}

/// Definitions that plinth applies itself, since helm changes none that is there.
fn beside(release: &Release, package: &Path, doing: &str) -> ClientResult<Vec<Value>> {
    if release.crds == CrdPolicy::Apply { of_package(release, package, doing) } else { Ok(Vec::new()) }
}

/// Objects of the release as helm applied them, each with its namespace.
fn applied(release: &Release, there: &Payload, doing: &str) -> ClientResult<Vec<Value>> {
    let mut objects = documents::objects(&there.manifest).map_err(|why| {
        ClientError::new(CLIENT, doing)
            .happened(format!("what helm keeps of its objects cannot be read: {why}"))
            .attempt("look at it with `helm get manifest`")
    })?;
    for object in &mut objects {
        let text = |key: &str| object[key].as_str().unwrap_or_default();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let has_none = object["metadata"]["namespace"].as_str().is_none_or(str::is_empty);
        let is_bare = has_none && is_own(group_of(version)) && !is_of_cluster(version, kind);
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { continue };
        if is_bare {
            metadata.insert("namespace".to_owned(), release.namespace.clone().into());
        }
        // What helm writes into every object when it applies it, and knows its own by.
        mark(metadata, "labels", marks::MANAGED_BY);
        mark(metadata, "annotations", (marks::RELEASE, &release.release));
        mark(metadata, "annotations", (marks::NAMESPACE, &release.namespace));
    }
    Ok(objects)
}

fn mark(metadata: &mut Map<String, Value>, place: &str, (key, value): (&str, &str)) {
    let marks = metadata.entry(place).or_insert(Value::Null);
    if marks.is_null() {
        *marks = Value::Object(Map::new());
    }
    if let Some(marks) = marks.as_object_mut() {
        marks.insert(key.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_as_helm_applied_them() {
        let release =
            Release { release: "r".into(), namespace: "n".into(), of_objects: true, ..crate::tests::release() };
        let manifest = "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: a, annotations: null}\n---\nkind: ClusterRole\n\
            apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: b, labels: {x: z}}\n---\nkind: Odd\napiVersion: v1\nmetadata: text\n";
        let version = "1.0.0".parse().expect("a version");
        let there = Payload { version, values: json!({}), manifest: manifest.to_owned(), first_deployed: None };
        let objects = applied(&release, &there, "comparing").expect("objects");
        assert_eq!(objects[0]["metadata"]["namespace"], "n");
        assert_eq!(objects[0]["metadata"]["annotations"]["meta.helm.sh/release-name"], "r");
        assert_eq!(objects[1]["metadata"]["namespace"], Value::Null, "it belongs to the whole cluster");
        assert_eq!(objects[1]["metadata"]["labels"], json!({"x": "z", "app.kubernetes.io/managed-by": "Helm"}));
        assert_eq!(objects[2]["metadata"], "text", "what is no object is left to the API server");
    }
}
