//! A department or a project of a simulated control plane.

use serde_json::{Map, Value, json};

/// A department or a project.
pub(super) struct Unit {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) fields: Map<String, Value>,
}

impl Unit {
    pub(super) fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        let mut json = json!({"id": self.id, "createdAt": "2026-01-01T00:00:00Z", "inventedLater": [1]});
        for (name, value) in &self.fields {
            json[name] = value.clone();
        }
        json
    }
}

/// `departments` or `projects`; none: no such list.
pub(super) fn kind(word: &str) -> Option<&'static str> {
    ["departments", "projects"].into_iter().find(|kind| *kind == word)
}
