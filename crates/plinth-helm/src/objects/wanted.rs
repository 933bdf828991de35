//! Objects of a release as helm applied them, by what it keeps of them.

use crate::documents::{opened, parts};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinth_model::api_group::{group_of, is_of_cluster, is_own};
use plinth_model::{ObjectName, ReleaseName};
use plinth_world::helm::marks;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const DEFINITION: &str = "CustomResourceDefinition";

/// One object of a manifest.
pub(super) struct Wanted {
    pub(super) name: ObjectName,
    /// As helm applied it; of a definition of a kind only what names it: they are large, and have a policy of their own.
    pub(super) manifest: Value,
    pub(super) is_definition: bool,
}

/// Objects of the release; those whose name the API server makes up cannot be known again, and are left out.
///
/// # Errors
/// With why a document cannot be read.
pub(super) fn wanted(manifest: &str, release: &ReleaseName) -> Result<Vec<Wanted>, String> {
    let mut all = Vec::new();
    for part in parts(manifest) {
        if let Some(definition) = named_definition(part) {
            all.push(definition);
            continue;
        }
        for object in opened(part)?.into_iter().filter(|object| object["kind"].is_string()) {
            let object = applied(object, release);
            let Some(mut name) = ObjectName::of(&object) else { continue };
            // Whether a further kind has namespaces the API server knows; where it has none, this one does not count.
            if name.namespace.is_empty() && !is_of_cluster(&name.api_version, &name.kind) {
                name.namespace.clone_from(&release.namespace);
            }
            let is_definition = name.kind == DEFINITION;
            all.push(Wanted { name, manifest: object, is_definition });
        }
    }
    Ok(all)
}

/// The whole definition of this name.
pub(super) fn definition(manifest: &str, name: &str) -> Result<Option<Value>, String> {
    for part in parts(manifest).filter(|part| part.contains(DEFINITION)) {
        let is_it = |object: &Value| object["kind"] == DEFINITION && object["metadata"]["name"] == name;
        if let Some(found) = opened(part)?.into_iter().find(is_it) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Reading what names a definition, and no more.
fn named_definition(part: &str) -> Option<Wanted> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        api_version: String,
        kind: String,
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
    }
    if !part.contains(DEFINITION) {
        return None;
    }
    let Named { api_version, kind, metadata: Metadata { name } } = serde_saphyr::from_str(part).ok()?;
    let manifest = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    let name = ObjectName { api_version, kind, namespace: String::new(), name };
    (name.kind == DEFINITION).then_some(Wanted { name, manifest, is_definition: true })
}

/// An object of a manifest with its namespace and with what helm writes into every object.
pub(crate) fn applied(mut object: Value, release: &ReleaseName) -> Value {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let has_none = object["metadata"]["namespace"].as_str().is_none_or(str::is_empty);
    let may_have = has_none && !is_of_cluster(version, kind);
    let is_secret = (version, kind) == ("v1", "Secret");
    if is_secret {
        only_data(&mut object);
    }
    let is_foreign = !is_own(group_of(object["apiVersion"].as_str().unwrap_or_default()));
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return object };
    if may_have && !is_foreign {
        metadata.insert("namespace".to_owned(), release.namespace.clone().into());
    }
    mark(metadata, "labels", marks::MANAGED_BY);
    mark(metadata, "annotations", (marks::RELEASE, &release.name));
    mark(metadata, "annotations", (marks::NAMESPACE, &release.namespace));
    object
}

/// What a person writes as text is kept in base64.
fn only_data(secret: &mut Value) {
    let Some(secret) = secret.as_object_mut() else { return };
    let Some(Value::Object(texts)) = secret.remove("stringData") else { return };
    let data = secret.entry("data").or_insert(Value::Null);
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else { return };
    for (key, text) in texts {
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        data.insert(key, STANDARD.encode(text).into());
    }
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn release() -> ReleaseName {
        ReleaseName { namespace: "n".into(), name: "r".into() }
    }

    #[test]
    fn objects_are_as_helm_applied_them() {
        let manifest = "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: a, annotations: null}\n---\nkind: ClusterRole\n\
            apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: b, labels: {x: z}}\n---\nkind: Odd\napiVersion: v1\nmetadata: text\n";
        let objects: Vec<Value> = crate::documents::objects(manifest)
            .unwrap()
            .into_iter()
            .map(|object| applied(object, &release()))
            .collect();
        assert_eq!(objects[0]["metadata"]["namespace"], "n");
        assert_eq!(objects[0]["metadata"]["annotations"]["meta.helm.sh/release-name"], "r");
        assert_eq!(objects[1]["metadata"]["namespace"], Value::Null, "it belongs to the whole cluster");
        assert_eq!(objects[1]["metadata"]["labels"], json!({"x": "z", "app.kubernetes.io/managed-by": "Helm"}));
        assert_eq!(objects[2]["metadata"], "text", "what is no object is left to the API server");
    }

    #[test]
    fn secrets_are_compared_as_they_are_kept_and_what_has_no_name_is_left_out() {
        let manifest = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: x, b: '1'}\ndata: {c: Yw==}\n---\n\
            apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\n---\napiVersion: apiextensions.k8s.io/v1\n\
            kind: CustomResourceDefinition\nmetadata: {name: xs.example.com, labels: {a: b}}\nspec: {group: example.com}\n---\n\
            apiVersion: example.com/v1\nkind: X\nmetadata: {name: x}\n";
        let all = wanted(manifest, &release()).unwrap();
        let names: Vec<String> = all.iter().map(|one| one.name.to_string()).collect();
        assert_eq!(names, ["Secret n/s", "CustomResourceDefinition xs.example.com", "X n/x"]);
        assert_eq!(all[2].manifest["metadata"]["namespace"], Value::Null, "it may be one without");
        assert_eq!(all[0].manifest["data"], json!({"a": "eA==", "b": "MQ==", "c": "Yw=="}));
        assert_eq!(all[0].manifest.get("stringData"), None);
        assert!(all[1].is_definition && all[1].manifest.get("spec").is_none());
        assert_eq!(definition(manifest, "xs.example.com").unwrap().unwrap()["spec"], json!({"group": "example.com"}));
        assert_eq!(definition(manifest, "ys.example.com").unwrap(), None);
    }

    #[test]
    fn numbers_are_read_as_helm_reads_them() {
        let manifest =
            "apiVersion: v1\nkind: X\nmetadata: {name: x}\nspec: {mode: 0644, on: yes, off: 'yes', one: 1.0}\n";
        let all = wanted(manifest, &release()).unwrap();
        let spec = &all[0].manifest["spec"];
        assert_eq!((&spec["mode"], &spec["off"]), (&json!(420), &json!("yes")), "{spec}");
        assert_eq!(spec.get("true").or_else(|| spec.get("on")), Some(&json!(true)), "{spec}");
    }
}
