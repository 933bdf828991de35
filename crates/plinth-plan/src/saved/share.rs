//! What many steps have in common stands once in a saved plan: a value that is met again is written into a table, and its place in the table
//! is written where it belongs.
//!
//! Only the three upper layers of a step are looked at (`reason`, `params.target`, `params.target.credential`): there the steps of a
//! thousand nodes are alike. What lies deeper is the site's own text, and stays as it is.

use indexmap::IndexSet;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;
use std::io::Write;

/// Layers of a step that are looked at.
const LAYERS: usize = 3;
/// Shorter texts are not worth a place in the table.
const SHORTEST: usize = 32;
/// The key that names a place in the table.
const KEY: &str = "$shared";

/// Counts what could be shared.
#[derive(Default)]
pub(super) struct Census {
    /// By hash: two texts with the same one only make the table a little longer.
    met: HashMap<u64, u32>,
}

impl Census {
    /// Takes a value in.
    pub(super) fn count(&mut self, value: &mut Value) {
        walk(value, 0, &mut |place| {
            if let Some(hash) = shareable(place) {
                *self.met.entry(hash).or_default() += 1;
            }
            false
        });
    }

    /// The table, still empty.
    pub(super) fn table(self) -> Table {
        Table { met: self.met, texts: IndexSet::new() }
    }
}

/// What is shared, in the order in which it is met.
pub(super) struct Table {
    met: HashMap<u64, u32>,
    /// The values, as JSON.
    pub(super) texts: IndexSet<String>,
}

impl Table {
    /// Puts places of the table where the value has what others have too.
    pub(super) fn share(&mut self, value: &mut Value) {
        walk(value, 0, &mut |place| {
            // A value that looks like a place of the table would be taken for one.
            let is_met_again = |hash| self.met.get(&hash).is_some_and(|times| *times > 1);
            let wanted = is_reference(place) || shareable(place).is_some_and(is_met_again);
            if wanted {
                let (at, _) = self.texts.insert_full(place.to_string());
                *place = reference(at);
            }
            wanted
        });
    }
}

/// Takes values out of the table again.
pub(super) struct Shared {
    /// Values, with the length of their texts.
    values: Vec<(Value, usize)>,
    /// Bytes that may still be taken out: a small file must not become a large plan.
    room: usize,
}

impl Shared {
    /// Of the table that a file holds.
    pub(super) fn new(values: Vec<Value>, room: usize) -> Self {
        let values =
            values.into_iter().map(|value| (value.to_string().len(), value)).map(|(length, value)| (value, length));
        Self { values: values.collect(), room }
    }

    /// The value with everything in its place.
    ///
    /// # Errors
    /// When it names a place that the table does not have, or when all together would become too large.
    pub(super) fn restore(&mut self, value: &mut Value) -> Result<(), String> {
        let mut wrong = None;
        walk(value, 0, &mut |place| {
            let is_reference = is_reference(place);
            if is_reference && wrong.is_none() {
                wrong = self.take(place).err();
            }
            is_reference
        });
        wrong.map_or(Ok(()), Err)
    }

    fn take(&mut self, place: &mut Value) -> Result<(), String> {
        let at = place[KEY].as_u64().and_then(|at| usize::try_from(at).ok());
        let (value, length) =
            at.and_then(|at| self.values.get(at)).ok_or("it names a shared value that is not there")?;
        self.room = self.room.checked_sub(*length).ok_or("it would become too large")?;
        *place = value.clone();
        Ok(())
    }
}

/// Shows every place of the upper layers, outer ones first. What is answered with `true` is not entered.
fn walk(value: &mut Value, layer: usize, visit: &mut impl FnMut(&mut Value) -> bool) {
    if (layer > 0 && visit(value)) || layer == LAYERS {
        return;
    }
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(|field| walk(field, layer + 1, visit));
    }
}

/// The hash of its text, if that is worth a place in the table.
fn shareable(value: &Value) -> Option<u64> {
    let mut text = Hashed::default();
    match value {
        Value::String(short) if short.len() < SHORTEST => return None,
        Value::Object(_) | Value::Array(_) | Value::String(_) => serde_json::to_writer(&mut text, value).ok()?,
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    }
    (text.length >= SHORTEST).then(|| text.hasher.finish())
}

/// Takes in a text as it is written, and keeps its hash and its length only.
#[derive(Default)]
struct Hashed {
    hasher: DefaultHasher,
    length: usize,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hasher.write(bytes);
        self.length += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn is_reference(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key(KEY))
}

fn reference(place: usize) -> Value {
    Value::Object(Map::from_iter([(KEY.to_owned(), Value::from(place))]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shared(values: &[Value]) -> (Vec<Value>, Vec<String>) {
        let mut values = values.to_vec();
        let mut census = Census::default();
        values.iter_mut().for_each(|value| census.count(value));
        let mut table = census.table();
        values.iter_mut().for_each(|value| table.share(value));
        (values, table.texts.into_iter().collect())
    }

    fn restored(mut values: Vec<Value>, texts: &[String], room: usize) -> Result<Vec<Value>, String> {
        let mut shared = Shared::new(texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect(), room);
        values.iter_mut().try_for_each(|value| shared.restore(value))?;
        Ok(values)
    }

    #[test]
    fn what_is_met_twice_stands_once_and_comes_back() {
        let login = json!({"user": "plinth", "credential": {"key": {"generated": "ssh-key"}}});
        let step =
            |node: &str| json!({"id": node, "params": {"target": {"node": node, "login": login}}, "needs": [node]});
        let values =
            [step("dgx-01"), step("dgx-02"), json!({"params": {"other": "a text that is met only once, so it stays"}})];
        let (short, texts) = shared(&values);
        assert_eq!(texts, [login.to_string()]);
        assert_eq!(short[1]["params"]["target"], json!({"node": "dgx-02", "login": {"$shared": 0}}));
        assert_eq!(short[2], values[2]);
        assert_eq!(restored(short, &texts, 10_000).unwrap(), values);
    }

    #[test]
    fn a_value_that_looks_like_a_place_comes_back_as_it_was() {
        let values = [
            json!({"params": {"values": {"$shared": 0}, "deep": {"a": {"b": {"$shared": 7}}}}}),
            json!({"reason": {"$shared": "x"}}),
        ];
        let (short, texts) = shared(&values);
        assert_eq!(restored(short, &texts, 10_000).unwrap(), values);
    }

    #[test]
    fn a_place_that_is_not_there_and_a_small_file_that_grows_are_refused() {
        let text = json!("x".repeat(100)).to_string();
        let many = vec![json!({"reason": {"$shared": 0}}); 11];
        assert!(restored(many.clone(), std::slice::from_ref(&text), 11 * text.len()).is_ok());
        assert_eq!(restored(many, &[text], 1_000).unwrap_err(), "it would become too large");
        for place in [json!(0), json!(-1), json!("0"), json!(null)] {
            let error = restored(vec![json!({"reason": {"$shared": place}})], &[], 1_000).unwrap_err();
            assert_eq!(error, "it names a shared value that is not there");
        }
    }
}
