//! Merging of helm values.

use plinth_model::values::SECRET_KEY;
use serde_json::{Map, Value};

/// Lays `over` on `base`: maps are merged key by key, anything else is replaced, `null` removes the key. A `null` therefore
/// removes what the catalog set and lets the chart's default through; it cannot remove a default of the chart.
pub fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        // A reference is one thing: keys of two references in one object would be none.
        (Value::Object(base), Value::Object(over)) if !is_reference(base) && !is_reference(over) => {
            over.iter().for_each(|(key, value)| lay(base, key, value))
        }
        (base, over) => *base = without_nulls(over),
    }
}

fn is_reference(map: &Map<String, Value>) -> bool {
    map.contains_key(SECRET_KEY)
}

fn lay(base: &mut Map<String, Value>, key: &str, value: &Value) {
    match (base.get_mut(key), value) {
        (_, Value::Null) => {
            base.shift_remove(key);
        }
        (Some(old), value) => merge(old, value),
        (None, value) => {
            base.insert(key.to_owned(), without_nulls(value));
        }
    }
}

/// Nulls inside maps mean "remove", so they have no place in a result.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), without_nulls(v))).collect(),
        ),
        other => other.clone(),
    }
}

/// The value at a dotted path; a dot inside a key is written `\.`.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    segments(path).iter().try_fold(value, |value, key| value.get(key))
}

/// Takes away what stands at a dotted path, if anything does.
pub(crate) fn remove(value: &mut Value, path: &str) {
    let segments = segments(path);
    let Some((last, above)) = segments.split_last() else { return };
    let place = above.iter().try_fold(value, |value, key| value.get_mut(key));
    if let Some(Value::Object(map)) = place {
        map.shift_remove(last);
    }
}

/// Parts of a dotted path.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.replace("\\.", "\u{0}").split('.').map(|part| part.replace('\u{0}', ".")).collect()
}

/// A key as one part of a dotted path.
pub(crate) fn segment(key: &str) -> String {
    key.replace('.', "\\.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{at, merge, remove, segment, segments};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn maps_are_merged_lists_and_scalars_replaced_null_removes() {
        let mut base = json!({"a": {"b": 1, "c": [1, 2]}, "d": "x"});
        merge(&mut base, &json!({"a": {"b": null, "c": [3], "e": {"f": null, "g": 1}}, "d": {"h": true}}));
        assert_eq!(base, json!({"a": {"c": [3], "e": {"g": 1}}, "d": {"h": true}}));
    }

    #[test]
    fn a_reference_replaces_another_and_never_mixes_with_it() {
        let mut base = json!({"a": {"$secret": {"env": "OURS"}}, "b": {"c": 1}});
        merge(&mut base, &json!({"a": {"$secret": {"file": "theirs"}}, "b": {"$secret": {"env": "B"}}}));
        assert_eq!(base, json!({"a": {"$secret": {"file": "theirs"}}, "b": {"$secret": {"env": "B"}}}));
    }

    #[test]
    fn a_dot_inside_a_key_can_be_written() {
        let values = json!({"grafana": {"grafana.ini": {"server": 1}}});
        assert_eq!(at(&values, "grafana.grafana\\.ini.server"), Some(&json!(1)));
        assert_eq!(at(&values, "grafana.none"), None);
        assert_eq!(segments(&format!("a.{}", segment("b.c"))), ["a", "b.c"]);
    }

    #[test]
    fn what_is_taken_away_leaves_all_else() {
        let mut values = json!({"a": {"b.c": 1, "d": 2}, "e": 3});
        for path in ["a.b\\.c", "a.none", "none.d", "e.f"] {
            remove(&mut values, path);
        }
        assert_eq!(values, json!({"a": {"d": 2}, "e": 3}));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        let tree = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-d]", tree, 0..4).prop_map(|m| Value::Object(m.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn merging_nothing_changes_nothing(base in values()) {
            let mut merged = base.clone();
            merge(&mut merged, &json!({}));
            prop_assert_eq!(merged, base);
        }

        #[test]
        fn merging_twice_is_merging_once(base in values(), over in values()) {
            let mut once = base;
            merge(&mut once, &over);
            let mut twice = once.clone();
            merge(&mut twice, &over);
            prop_assert_eq!(twice, once);
        }

        #[test]
        fn what_was_asked_for_is_there(base in values(), over in values()) {
            let mut merged = base;
            merge(&mut merged, &over);
            for (key, value) in over.as_object().unwrap() {
                prop_assert_eq!(merged.get(key).is_some(), !value.is_null(), "{}", key);
            }
        }
    }
}
