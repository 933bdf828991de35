//! Settings that circulate and are wrong: found in a site's own values, and never to appear in the catalog's.

use crate::Facts;
use crate::expression::{Condition, ExpressionError, all_hold};
use crate::merge::{at, segments};
use serde::Deserialize;
use serde_json::Value;

/// `known-bad-values.yaml`: all such settings, each under a stable number.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownBad {
    /// Version of the file's form; there is only 1.
    pub schema: u32,
    /// In the order of their numbers.
    pub entries: Vec<KnownBadEntry>,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownBadVerdict {
    /// It has no effect at all.
    Dead,
    /// It has another effect than meant.
    Wrong,
    /// It fights another setting.
    Contradictory,
    /// No public document knows it.
    Undocumented,
    /// Not a setting but a way of working; cannot be found in values.
    Practice,
}

/// One wrong setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownBadEntry {
    /// Stable number.
    pub id: u32,
    /// Component, or a chart that is not in the catalog.
    pub chart: String,
    /// What is wrong.
    pub verdict: KnownBadVerdict,
    /// Dotted paths into the values.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Only with this value.
    #[serde(default)]
    pub equals: Option<Value>,
    /// Only when a list at the path has an element that contains this text.
    #[serde(default)]
    pub item: Option<String>,
    /// An object's field instead of a value.
    #[serde(default)]
    pub object: Option<KnownBadObject>,
    /// Not a hit when one of these is set too.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Not a hit under these conditions.
    #[serde(default)]
    pub except_when: Vec<Condition>,
    /// Why it is wrong.
    pub why: String,
    /// What to do instead.
    pub instead: String,
}

/// A field of an object.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownBadObject {
    /// As a manifest says it: `SriovOperatorConfig`.
    pub kind: String,
    /// Dotted path.
    pub path: String,
}

/// A wrong setting that was found.
#[derive(Clone, Debug)]
pub struct KnownBadHit<'a> {
    /// What it is, why it is wrong, and what to do instead.
    pub entry: &'a KnownBadEntry,
    /// Dotted path in the values where it was found.
    pub path: &'a str,
}

impl KnownBad {
    /// Wrong settings of a component in `given`; `merged` are the complete values, which decide about `unless`.
    ///
    /// # Errors
    /// When a condition speaks of an unknown fact.
    pub fn in_values<'a>(
        &'a self,
        chart: &str,
        given: &Value,
        merged: &Value,
        facts: &Facts,
    ) -> Result<Vec<KnownBadHit<'a>>, ExpressionError> {
        let mut hits = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.chart == chart) {
            let paths = entry.keys.iter().filter(|path| entry.matches(given, path));
            for path in paths.filter(|_| !entry.unless.iter().any(|path| at(merged, path).is_some())) {
                if entry.except_when.is_empty() || !all_hold(&entry.except_when, facts)? {
                    hits.push(KnownBadHit { entry, path });
                }
            }
        }
        Ok(hits)
    }

    /// Wrong fields of an object.
    #[must_use]
    pub fn in_object<'a>(&'a self, object: &Value) -> Vec<KnownBadHit<'a>> {
        let kind = object.get("kind").and_then(Value::as_str);
        let wrong = |entry: &'a KnownBadEntry| {
            let field = entry.object.as_ref().filter(|field| kind == Some(field.kind.as_str()))?;
            at(object, &field.path).map(|_| KnownBadHit { entry, path: &field.path })
        };
        self.entries.iter().filter_map(wrong).collect()
    }
}

impl KnownBadEntry {
    fn matches(&self, values: &Value, path: &str) -> bool {
        at(values, path).is_some_and(|value| {
            self.equals.as_ref().is_none_or(|wanted| value == wanted)
                && self.item.as_ref().is_none_or(|item| contains_text(value, item))
        })
    }

    /// Values in which exactly this path is set so that it is a hit; for the proof that the detector sees it.
    #[must_use]
    pub fn example(&self, path: &str) -> Value {
        let leaf = match (&self.equals, &self.item) {
            (Some(value), _) => value.clone(),
            (None, Some(item)) => serde_json::json!([{ "name": item }]),
            (None, None) => Value::from("x"),
        };
        segments(path).into_iter().rev().fold(leaf, |value, key| Value::Object([(key, value)].into_iter().collect()))
    }
}

fn contains_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| contains_text(item, text)),
        Value::Object(map) => map.values().any(|item| contains_text(item, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
