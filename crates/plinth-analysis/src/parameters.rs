//! Which parameters of a step differ between two plans, value by value.

use plinth_model::Step;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Longest value that is told, characters.
const VALUE: usize = 120;
/// Characters that are told in front of the place where two long values part.
const BEFORE: usize = 30;
/// As many digits are a digest, of whatever kind.
const DIGEST: usize = 32;
/// Digits of a digest that are told.
const SHORT: usize = 12;
/// What tells the entries of a list from each other: the first of these that all of them have.
const KEYS: [&str; 4] = ["node", "name", "id", "key"];

/// A parameter that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// Where it stands: `release`, `values`, `driver`, `version`. An entry of a list stands with its own name.
    pub(crate) path: Vec<String>,
    /// Its value in the earlier plan; empty: there was none.
    pub(crate) before: String,
    /// Its value in the later plan; empty: there is none.
    pub(crate) after: String,
}

impl Parameter {
    /// `release.values.driver.version`.
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }

    /// Whether it is about this node: an entry of its own in a list, or its name.
    pub(crate) fn is_about(&self, node: &str) -> bool {
        self.path.iter().any(|part| part == node) || [&self.before, &self.after].into_iter().any(|value| value == node)
    }

    /// Whether its value says nothing to a person: a digest, or a whole file.
    pub(crate) fn is_content(&self) -> bool {
        let says_nothing = |text: &String| is_digest(text) || text.contains('\n') || text.chars().count() > VALUE;
        says_nothing(&self.before) || says_nothing(&self.after)
    }

    /// Whether it says which release of something is wanted.
    pub(crate) fn is_version(&self) -> bool {
        self.path.last().is_some_and(|last| last.to_lowercase().ends_with("version"))
    }

    /// Both values, as much of them as says where they part.
    pub(crate) fn told(&self) -> (String, String) {
        let (before, after) = (&self.before, &self.after);
        if [before, after].into_iter().all(|text| text.is_empty() || is_digest(text)) {
            let short = |text: &str| text.chars().take(SHORT).collect();
            return (short(before), short(after));
        }
        let same = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
        let from =
            if before.chars().count().max(after.chars().count()) > VALUE { same.saturating_sub(BEFORE) } else { 0 };
        (excerpt(before, from), excerpt(after, from))
    }
}

fn excerpt(text: &str, from: usize) -> String {
    let begin = if from > 0 && !text.is_empty() { "… " } else { "" };
    let end = if text.chars().count() > from + VALUE { " …" } else { "" };
    format!("{begin}{}{end}", text.chars().skip(from).take(VALUE).collect::<String>())
}

fn is_digest(text: &str) -> bool {
    let digits = text.rsplit(':').next().unwrap_or_default();
    digits.len() >= DIGEST && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Parameters of a step that differ. They hold references to secrets, never secrets.
pub(crate) fn differing(before: &Step, after: &Step) -> Vec<Parameter> {
    if before.work == after.work {
        return Vec::new();
    }
    differing_values(&parameters(before), &parameters(after))
}

/// What the step is told, as the plan writes it.
fn parameters(step: &Step) -> Value {
    let work = serde_json::to_value(&step.work).unwrap_or_default();
    work.get("params").cloned().unwrap_or(work)
}

fn differing_values(before: &Value, after: &Value) -> Vec<Parameter> {
    let (mut old, mut new) = (Leaves::new(), Leaves::new());
    gather(&[], before, &mut old);
    gather(&[], after, &mut new);
    let places: BTreeSet<&(Vec<String>, String)> = old.keys().chain(new.keys()).collect();
    let value = |of: &Leaves, place| of.get(place).cloned().unwrap_or_default();
    let all = places.into_iter().map(|place| Parameter {
        path: place.0.clone(),
        before: value(&old, place),
        after: value(&new, place),
    });
    all.filter(|one| one.before != one.after).collect()
}

/// Values by their place. Plain entries of a list share a path, so each is found by its value as well.
type Leaves = BTreeMap<(Vec<String>, String), String>;

fn gather(path: &[String], value: &Value, found: &mut Leaves) {
    let below = |part: &str| [path, &[part.to_owned()]].concat();
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| gather(&below(key), value, found)),
        Value::Array(list) => match key_of(list) {
            Some(key) => {
                for entry in list {
                    let name = entry.get(key).and_then(Value::as_str).unwrap_or_default();
                    gather(&below(name), entry, found);
                }
            }
            None => list.iter().enumerate().for_each(|(at, entry)| match plain(entry) {
                Some(text) => drop(found.insert((path.to_vec(), text.clone()), text)),
                None => gather(&below(&at.to_string()), entry, found),
            }),
        },
        other => drop(plain(other).map(|text| found.insert((path.to_vec(), String::new()), text))),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Object(_) | Value::Array(_) => None,
    }
}

/// What tells the entries of this list from each other.
fn key_of(list: &[Value]) -> Option<&'static str> {
    let is_key = |key: &&str| {
        let names: BTreeSet<&str> = list.iter().filter_map(|entry| entry.get(*key)?.as_str()).collect();
        !list.is_empty() && names.len() == list.len()
    };
    KEYS.into_iter().find(is_key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(before: Value, after: Value) -> Vec<(String, String, String)> {
        let all = differing_values(&before, &after).into_iter();
        all.map(|one| (one.name(), one.before, one.after)).collect()
    }

    fn row(name: &str, before: &str, after: &str) -> (String, String, String) {
        (name.to_owned(), before.to_owned(), after.to_owned())
    }

    #[test]
    fn an_entry_of_a_list_is_compared_with_its_like_and_not_with_what_has_its_place_now() {
        let before =
            json!({"nodes": ["a", "b", "c"], "targets": [{"node": "a", "user": "x"}, {"node": "b", "user": "y"}]});
        let after = json!({"nodes": ["b", "c"], "targets": [{"node": "b", "user": "z"}]});
        let rows = [
            row("nodes", "a", ""),
            row("targets.a.node", "a", ""),
            row("targets.a.user", "x", ""),
            row("targets.b.user", "y", "z"),
        ];
        assert_eq!(told(before.clone(), after.clone()), rows);
        let about = differing_values(&before, &after);
        assert_eq!(about.iter().map(|one| one.is_about("a")).collect::<Vec<_>>(), [true, true, true, false]);
        assert_eq!(told(json!([{"x": 1}, {"x": 2}]), json!([{"x": 1}, {"x": 3}])), [row("1.x", "2", "3")]);
    }

    #[test]
    fn of_a_long_value_the_place_is_told_where_it_differs() {
        let file = |last: &str| json!({"file": format!("{}{last}, and more", "the same line\n".repeat(50))});
        let all = differing_values(&file("old"), &file("new"));
        assert!(all[0].is_content() && !all[0].is_version());
        let (before, after) = all[0].told();
        assert!(
            before.starts_with("… ") && before.contains("old, and more") && after.contains("new, and more"),
            "{before}"
        );
        let digests =
            differing_values(&json!({"d": "0a".repeat(32)}), &json!({"d": format!("sha256:{}", "b".repeat(64))}));
        assert!(digests[0].is_content());
        let versions = differing_values(&json!({"chartVersion": "v1"}), &json!({"chartVersion": "v2"}));
        assert!(versions[0].is_version() && !versions[0].is_content());
    }
}
