//! Whether a component of ours brings the default storage class: a cluster should have exactly one.

use crate::{Catalog, Facts};
use serde_json::{Value, json};

/// Fact: the classes that are the default of the cluster, as the planner knows them: `name`, `own`, `release`.
const DEFAULTS: &str = "storage.defaults";
/// Fact: the name of one that is not ours, or null.
const OTHER: &str = "storage.otherDefault";
/// Fact: whether a class of ours is to be the default.
const OURS: &str = "storage.makesDefault";

impl Catalog {
    /// The facts about default classes. What is the default and ours stays so: claims may count on it. Only where another one was there
    /// first is ours made without the mark.
    pub(crate) fn default_classes(&self, facts: &Facts) -> Facts {
        let classes = facts.get(DEFAULTS).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let (ours, others): (Vec<&Value>, Vec<&Value>) = classes.iter().partition(|class| self.is_ours(class, facts));
        let other = others.first().map(|class| class["name"].clone()).unwrap_or_default();
        let is_to_be = other.is_null() || !ours.is_empty();
        [(OTHER.to_owned(), other), (OURS.to_owned(), json!(is_to_be))].into()
    }

    /// By the journal, or by its name where that was lost.
    fn is_ours(&self, class: &Value, facts: &Facts) -> bool {
        let text = |component: &str, what: &str| facts.get(&format!("component.{component}.{what}"))?.as_str();
        let release =
            |component: &String| Some(format!("{}/{}", text(component, "namespace")?, text(component, "release")?));
        let named = class["release"].as_str();
        class["own"] == true
            || named.is_some_and(|named| self.components.keys().filter_map(release).any(|own| own == named))
    }
}
