//! Images that stand in the objects of operators: nobody sees their pods before the operator makes them.

use plinth_model::api_group::{group_of, is_own};
use serde_json::{Map, Value};

/// An image that an operator would pull.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Operand {
    /// As it is written, or put together from its parts.
    pub(super) image: String,
    /// It was put together: the operator may write more behind the tag, such as the system of the node.
    pub(super) may_go_on: bool,
}

/// Images of an object, if it is one of an operator's kinds: texts under `image`, and what is given in parts as `repository`, `image` and
/// `version` or `tag` (NVIDIA's operators). What stands beside `enabled: false` is not pulled, nor what is below it.
pub(super) fn of(object: &Value) -> Vec<Operand> {
    let mut found = Vec::new();
    if !is_own(group_of(object["apiVersion"].as_str().unwrap_or_default())) {
        walk(&object["spec"], &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn walk(value: &Value, found: &mut Vec<Operand>) {
    match value {
        Value::Object(map) if map.get("enabled") == Some(&Value::Bool(false)) => {}
        Value::Object(map) => {
            found.extend(here(map));
            map.values().for_each(|inner| walk(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| walk(inner, found)),
        _ => {}
    }
}

fn here(map: &Map<String, Value>) -> Option<Operand> {
    let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let image = text("image").filter(|image| !image.contains(char::is_whitespace))?;
    let Some(repository) = text("repository") else {
        // A word alone is something else that is called so.
        return image.contains(['/', ':']).then(|| Operand { image: image.to_owned(), may_go_on: false });
    };
    let tag = text("version").or_else(|| text("tag"))?;
    let sign = if tag.starts_with("sha256:") { '@' } else { ':' };
    Some(Operand { image: format!("{repository}/{image}{sign}{tag}"), may_go_on: true })
}

#[cfg(test)]
mod tests {
    use super::of;
    use serde_json::json;

    #[test]
    fn images_are_found_whole_and_in_parts_and_only_where_they_are_pulled() {
        let policy = json!({"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "spec": {
            "toolkit": {"enabled": true, "repository": "nvcr.io/x", "image": "toolkit", "version": "v1"},
            "pinned": {"repository": "nvcr.io/x", "image": "p", "version": "sha256:00"},
            "driver": {"enabled": false, "repository": "nvcr.io/x", "image": "driver", "version": "580",
                "manager": {"repository": "nvcr.io/x", "image": "manager", "version": "v1"}},
            "untagged": {"repository": "nvcr.io/x", "image": "u", "version": ""},
            "words": {"image": "large"},
        }});
        let images = |object| of(object).into_iter().map(|found| (found.image, found.may_go_on)).collect::<Vec<_>>();
        assert_eq!(
            images(&policy),
            [("nvcr.io/x/p@sha256:00".to_owned(), true), ("nvcr.io/x/toolkit:v1".to_owned(), true)]
        );
        let prometheus = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "spec": {
            "image": "quay.io/p/p:v3", "version": "v3", "initContainers": [{"name": "i", "image": "busybox:1"}]}});
        assert_eq!(images(&prometheus), [("busybox:1".to_owned(), false), ("quay.io/p/p:v3".to_owned(), false)]);
        let own = json!({"apiVersion": "v1", "kind": "ConfigMap", "spec": {"image": "a/b:1"}});
        assert!(images(&own).is_empty(), "pods of Kubernetes' own kinds are looked at as pods");
    }
}
