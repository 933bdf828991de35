//! Helm values and other free JSON in which secrets stand as references.

use crate::{Secret, SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;

/// Key of the object that stands for a secret: `{"$secret": {"env": "NAME"}}`.
pub const SECRET_KEY: &str = "$secret";
/// The same for a secret that may never have been learnt: its key is left out then ([`Values::known`]).
pub const KEPT_KEY: &str = "$secretIfKept";
/// What stands in place of a secret where people read values.
const MASKED: &str = "[secret]";

/// JSON whose secrets are references. Whoever holds one knows that each object with the key [`SECRET_KEY`] is a reference that
/// can be read and holds nothing else. Literal secrets are not found here: that is the plan's lint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Value", into = "Value")]
#[schemars(with = "Value")]
pub struct Values(Value);

/// A `$secret` that cannot be read. Its content is not repeated: it may be a secret itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is not a reference to a secret: {why}")]
pub struct BadReference {
    /// Where, as [`ValuePath`] prints it.
    pub path: ValuePath,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Why values could not be completed with their secrets.
#[derive(Debug, thiserror::Error)]
#[error("the secret of `{path}`: {error}")]
pub struct Unresolved<E> {
    /// Where the reference stands.
    pub path: ValuePath,
    /// What the lookup said.
    pub error: E,
}

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueKey {
    /// Into a map.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// A place in a document; empty: the whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValuePath(pub Vec<ValueKey>);

impl ValuePath {
    /// The innermost key of a map on the way: the name that a scalar, or the list it stands in, has.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.keys().last()
    }

    /// Keys of maps on the way, outermost first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|key| match key {
            ValueKey::Key(key) => Some(key.as_str()),
            ValueKey::Index(_) => None,
        })
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.0.iter().enumerate() {
            match key {
                ValueKey::Key(key) if at == 0 => f.write_str(key)?,
                ValueKey::Key(key) => write!(f, ".{key}")?,
                ValueKey::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// What stands at the end of a way into values.
#[derive(Clone, Debug)]
pub enum Leaf<'a> {
    /// A reference to a secret, or why it is none.
    Secret(Result<SecretRef, &'static str>),
    /// Null, a truth value, a number or a text.
    Scalar(&'a Value),
}

impl Values {
    /// No values: an empty map.
    #[must_use]
    pub fn empty() -> Self {
        Self(Value::Object(serde_json::Map::new()))
    }

    /// Checks every reference.
    ///
    /// # Errors
    /// With the first `$secret` that is not a reference, or that shares its object with other keys.
    pub fn new(json: Value) -> Result<Self, BadReference> {
        let mut bad = None;
        walk(&json, &mut |path, leaf| {
            if let (Leaf::Secret(Err(why)), None) = (leaf, &bad) {
                bad = Some(BadReference { path: path.clone(), why });
            }
        });
        bad.map_or(Ok(Self(json)), Err)
    }

    /// The JSON form of a reference, to be placed in values.
    #[must_use]
    pub fn reference(secret: &SecretRef) -> Value {
        serde_json::json!({ SECRET_KEY: secret })
    }

    /// The JSON form of a reference to a secret that may never have been learnt.
    #[must_use]
    pub fn reference_if_kept(secret: &SecretRef) -> Value {
        serde_json::json!({ KEPT_KEY: secret })
    }

    /// The same without the keys of secrets that were never learnt; all others are references like any other.
    ///
    /// # Errors
    /// With the first secret of which nobody can tell: one that cannot be read may have been learnt.
    pub fn known<E>(&self, is_kept: &mut dyn FnMut(&SecretRef) -> Result<bool, E>) -> Result<Self, E> {
        without_unknown(&self.0, is_kept).map(Self)
    }

    /// The reference, if this JSON is one and nothing else.
    #[must_use]
    pub fn as_reference(json: &Value) -> Option<SecretRef> {
        let Value::Object(map) = json else { return None };
        inner(map).and_then(|inner| read(map, inner).ok())
    }

    /// All references with their places, in the order of the document.
    #[must_use]
    pub fn secret_refs(&self) -> Vec<(ValuePath, SecretRef)> {
        let mut found = Vec::new();
        walk(&self.0, &mut |path, leaf| {
            if let Leaf::Secret(Ok(reference)) = leaf {
                found.push((path.clone(), reference));
            }
        });
        found
    }

    /// The same with `[secret]` in place of every reference, for people who need not know where a secret is found.
    #[must_use]
    pub fn mask(&self) -> Value {
        self.replaced(&mut |_| MASKED.into())
    }

    /// The same with something else in place of every reference.
    #[must_use]
    pub fn replaced(&self, put: &mut dyn FnMut(&SecretRef) -> Value) -> Value {
        let put = &mut |_: &ValuePath, reference: &SecretRef| Ok::<_, Infallible>(put(reference));
        match map_references(&self.0, &mut ValuePath::default(), put) {
            Ok(json) => json,
            Err(never) => match never {},
        }
    }

    /// The whole document as JSON text with the secrets themselves, which makes the text a secret. JSON is YAML, so helm reads
    /// it as a values file. Each secret becomes a text, whatever it looks like.
    ///
    /// # Errors
    /// With the first secret that the lookup does not give; the message never holds another one.
    pub fn resolve<E>(&self, lookup: &mut dyn FnMut(&SecretRef) -> Result<Secret, E>) -> Result<Secret, Unresolved<E>> {
        let put = &mut |path: &ValuePath, reference: &SecretRef| match lookup(reference) {
            Ok(secret) => Ok(Value::from(secret.expose())),
            Err(error) => Err(Unresolved { path: path.clone(), error }),
        };
        map_references(&self.0, &mut ValuePath::default(), put).map(|json| Secret::new(json.to_string()))
    }

    /// The JSON, references as they are.
    #[must_use]
    pub fn into_json(self) -> Value {
        self.0
    }
}

impl Deref for Values {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}

impl TryFrom<Value> for Values {
    type Error = BadReference;
    fn try_from(json: Value) -> Result<Self, BadReference> {
        Self::new(json)
    }
}

impl From<Values> for Value {
    fn from(values: Values) -> Self {
        values.0
    }
}

/// Visits every end of a document, in its order. The only code that knows how a reference looks.
pub fn walk(json: &Value, visit: &mut dyn FnMut(&ValuePath, Leaf<'_>)) {
    step(json, &mut ValuePath::default(), visit);
}

fn step(json: &Value, path: &mut ValuePath, visit: &mut dyn FnMut(&ValuePath, Leaf<'_>)) {
    match json {
        Value::Object(map) => match inner(map) {
            Some(inner) => visit(path, Leaf::Secret(read(map, inner))),
            None => {
                for (key, value) in map {
                    path.0.push(ValueKey::Key(key.clone()));
                    step(value, path, visit);
                    path.0.pop();
                }
            }
        },
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.0.push(ValueKey::Index(index));
                step(item, path, visit);
                path.0.pop();
            }
        }
        scalar => visit(path, Leaf::Scalar(scalar)),
    }
}

fn read(map: &serde_json::Map<String, Value>, inner: &Value) -> Result<SecretRef, &'static str> {
    if map.len() != 1 {
        return Err("other keys stand beside it");
    }
    serde_json::from_value(inner.clone()).map_err(|_| "it has exactly one of the keys `env`, `file`, `exec`")
}

/// What a reference refers to.
fn inner(map: &serde_json::Map<String, Value>) -> Option<&Value> {
    map.get(SECRET_KEY).or_else(|| map.get(KEPT_KEY))
}

fn without_unknown<E>(json: &Value, is_kept: &mut dyn FnMut(&SecretRef) -> Result<bool, E>) -> Result<Value, E> {
    let Value::Object(map) = json else { return Ok(json.clone()) };
    let mut copy = serde_json::Map::new();
    for (key, value) in map {
        let may_be_missing = value.get(KEPT_KEY).and_then(|_| Values::as_reference(value));
        match may_be_missing {
            Some(reference) if is_kept(&reference)? => drop(copy.insert(key.clone(), Values::reference(&reference))),
            Some(_) => {}
            None => drop(copy.insert(key.clone(), without_unknown(value, is_kept)?)),
        }
    }
    Ok(Value::Object(copy))
}

/// A copy in which each reference is replaced.
fn map_references<E>(
    json: &Value,
    path: &mut ValuePath,
    put: &mut dyn FnMut(&ValuePath, &SecretRef) -> Result<Value, E>,
) -> Result<Value, E> {
    match json {
        Value::Object(map) => match inner(map).and_then(|inner| read(map, inner).ok()) {
            Some(reference) => put(path, &reference),
            None => {
                let mut copy = serde_json::Map::new();
                for (key, value) in map {
                    path.0.push(ValueKey::Key(key.clone()));
                    copy.insert(key.clone(), map_references(value, path, put)?);
                    path.0.pop();
                }
                Ok(Value::Object(copy))
            }
        },
        Value::Array(items) => {
            let mut copy = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.0.push(ValueKey::Index(index));
                copy.push(map_references(item, path, put)?);
                path.0.pop();
            }
            Ok(Value::Array(copy))
        }
        scalar => Ok(scalar.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Leaf, Values, walk};
    use crate::{Secret, SecretRef};
    use serde_json::{Value, json};

    fn values() -> Values {
        Values::new(json!({
            "url": "https://a.example",
            "admin": {"password": {"$secret": {"env": "ADMIN"}}},
            "list": [1, {"token": {"$secret": {"file": "token"}}}],
        }))
        .unwrap()
    }

    #[test]
    fn references_are_found_with_their_places() {
        let found: Vec<(String, SecretRef)> =
            values().secret_refs().into_iter().map(|(path, reference)| (path.to_string(), reference)).collect();
        let wanted = [
            ("admin.password".to_owned(), SecretRef::Env("ADMIN".into())),
            ("list[1].token".to_owned(), SecretRef::File("token".into())),
        ];
        assert_eq!(found, wanted);
        assert_eq!(values().mask()["list"][1]["token"], "[secret]");
    }

    #[test]
    fn resolving_puts_each_secret_in_its_place_and_nothing_else_changes() {
        let lookup = &mut |reference: &SecretRef| match reference {
            SecretRef::Env(name) => Ok(Secret::new(format!("{name} \"quoted\"\n"))),
            SecretRef::File(_) => Ok(Secret::new("12".into())),
            _ => Err("not here"),
        };
        let resolved = values().resolve(lookup).unwrap();
        let wanted = json!({
            "url": "https://a.example",
            "admin": {"password": "ADMIN \"quoted\"\n"},
            "list": [1, {"token": "12"}],
        });
        assert_eq!(serde_json::from_str::<Value>(resolved.expose()).unwrap(), wanted);
        assert_eq!(format!("{resolved:?}"), "[secret]");
    }

    #[test]
    fn a_secret_that_is_not_found_is_named_by_its_place_and_no_other_is_told() {
        let lookup = &mut |reference: &SecretRef| match reference {
            SecretRef::Env(_) => Ok(Secret::new("hunter2".into())),
            _ => Err("no such file"),
        };
        let error = values().resolve(lookup).unwrap_err();
        assert_eq!(error.to_string(), "the secret of `list[1].token`: no such file");
    }

    #[test]
    fn a_secret_that_was_never_learnt_leaves_its_key_out() {
        let reference = SecretRef::Generated("learnt".into());
        let values = Values::new(json!({
            "a": {"b": Values::reference_if_kept(&reference), "c": 1},
            "d": Values::reference(&reference),
        }))
        .unwrap();
        assert_eq!(values.secret_refs().len(), 2, "it is a reference like any other for whoever looks for them");
        let kept = values.known(&mut |_| Ok::<_, ()>(true)).unwrap();
        assert_eq!(kept["a"], json!({"b": Values::reference(&reference), "c": 1}));
        assert_eq!(values.known(&mut |_| Err("cannot be read")).unwrap_err(), "cannot be read");
        let unknown = values.known(&mut |_| Ok::<_, ()>(false)).unwrap();
        assert_eq!((unknown["a"].clone(), unknown["d"].clone()), (json!({"c": 1}), Values::reference(&reference)));
    }

    #[test]
    fn what_only_looks_like_a_reference_is_refused_without_being_repeated() {
        for bad in [
            json!({"a": [{"$secret": "hunter2"}]}),
            json!({"a": [{"$secret": {"env": "A", "file": "b"}}]}),
            json!({"a": [{"$secret": {"env": "A"}, "hunter2": 1}]}),
        ] {
            let error = Values::new(bad.clone()).unwrap_err().to_string();
            assert!(error.starts_with("`a[0]` is not a reference"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
            assert!(serde_json::from_value::<Values>(bad).is_err());
        }
    }

    #[test]
    fn every_scalar_is_visited_with_the_name_it_has() {
        let mut seen = Vec::new();
        walk(&values(), &mut |path, leaf| {
            if let Leaf::Scalar(value) = leaf {
                seen.push(format!("{}={value}", path.name().unwrap_or_default()));
            }
        });
        assert_eq!(seen, ["url=\"https://a.example\"", "list=1"]);
    }
}
