//! Which texts are paths of a site file, as its schema has them. `kubernetes.github.io` is none, although it begins like one.

use crate::limits::schema;
use crate::path::{Path, Segment};
use serde_json::Value;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(schema);

/// Whether a site file may have something at this path.
pub(crate) fn is_known(path: &Path) -> bool {
    let mut here = forms(&SCHEMA);
    path.0.iter().all(|segment| {
        here = here.iter().filter_map(|at| below(at, segment)).flat_map(forms).collect();
        !here.is_empty()
    })
}

/// A part of the schema, and what it refers to or offers a choice of.
fn forms(at: &'static Value) -> Vec<&'static Value> {
    let named = at.get("$ref").and_then(Value::as_str).and_then(|name| SCHEMA.pointer(name.strip_prefix('#')?));
    let choices = ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| at.get(key)?.as_array()).flatten();
    let others = named.into_iter().chain(choices).flat_map(forms);
    std::iter::once(at).chain(others).collect()
}

/// What stands one step deeper; free values have anything below them.
fn below(at: &'static Value, segment: &Segment) -> Option<&'static Value> {
    if at == &Value::Bool(true) {
        return Some(at);
    }
    match segment {
        Segment::Key(key) => at
            .get("properties")
            .and_then(|known| known.get(key))
            // Names of nodes and the like: whether one is well-formed is not asked here.
            .or_else(|| at.get("patternProperties").and_then(|named| named.as_object()?.values().next()))
            .or_else(|| at.get("additionalProperties").filter(|other| **other != Value::Bool(false))),
        Segment::Index(_) => at.get("items"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_that_begins_like_a_path_is_none() {
        let known = |text: &str| is_known(&Path::parse(text));
        for path in [
            "kubernetes",
            "kubernetes.network.pods",
            "kubernetes.extraVars.kube_version",
            "platform.components.gpu-operator.values.driver.enabled",
            "nodes.workers[1].category",
            "nodes.overrides.dgx-05.labels[\"nvidia.com/mig\"]",
            "registries.mirrors[0].endpoints[1]",
            "inventory.bcm.tls.caFile",
            "inventory.static[2].name",
            "runai.certificate.files.key",
            "access.bootstrap.password",
        ] {
            assert!(known(path), "{path}");
        }
        for other in
            ["kubernetes.github.io", "runai.lab.example.com", "platform.sh", "nodes.example", "dgx-05", "storage/x"]
        {
            assert!(!known(other), "{other}");
        }
    }
}
