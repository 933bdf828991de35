//! Who set which field of an object, as the API server keeps it in `metadata.managedFields` (`FieldsV1`, Kubernetes documentation
//! "Server-Side Apply"): a tree with `f:NAME` for a field, `k:{..}` for an element of a list that is known by some of its fields, `v:..` for
//! one of a set, and an empty map for what is owned as a whole.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// As whom plinth itself sets fields of an object.
const PLINTH: &str = "plinth";
/// As whom programs of Kubernetes themselves write, beside those whose name begins with `kube-`.
const KUBERNETES: [&str; 3] = ["kubelet", "cloud-controller-manager", "clusterrole-aggregation-controller"];

/// Somebody who set fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setter {
    /// What it calls itself: the first word of its `User-Agent`, unless it says another.
    pub(super) name: String,
    /// When it last did, by the API server's clock.
    pub(super) when: Option<Timestamp>,
}

/// One entry of the list.
#[derive(Debug)]
struct Entry<'a> {
    setter: Setter,
    /// What it sets is meant to be set so: by helm, by plinth, by Kubernetes, or by way of a subresource such as `scale`.
    is_due: bool,
    fields: &'a Map<String, Value>,
}

/// All entries of an object.
pub(super) struct Owners<'a>(Vec<Entry<'a>>);

impl<'a> Owners<'a> {
    pub(super) fn of(object: &'a Value) -> Self {
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        let read = |entry: &'a Value| {
            let name = entry["manager"].as_str().unwrap_or_default();
            let is_beside = entry["subresource"].as_str().is_some_and(|subresource| !subresource.is_empty());
            let when = entry["time"].as_str().and_then(|time| time.parse().ok());
            let setter = Setter { name: name.to_owned(), when };
            let fields = entry["fieldsV1"].as_object().filter(|fields| !fields.is_empty())?;
            Some(Entry { setter, is_due: is_beside || is_due(name), fields })
        };
        Self(entries.into_iter().flatten().filter_map(read).collect())
    }

    /// The object as a whole.
    pub(super) fn top(&'a self) -> Place<'a> {
        Place(self.0.iter().map(|entry| (entry, entry.fields)).collect())
    }
}

/// helm calls itself as its program is called: `helm`, `helm3`.
fn is_due(name: &str) -> bool {
    name.starts_with("helm") || name == PLINTH || name.starts_with("kube-") || KUBERNETES.contains(&name)
}

/// What the entries say of one place in an object.
pub(super) struct Place<'a>(Vec<(&'a Entry<'a>, &'a Map<String, Value>)>);

/// How a list is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ListKind {
    /// Elements are known by these of their fields.
    ByKeys(Vec<String>),
    /// Elements are known by their value.
    Set,
    /// It is one value.
    Whole,
}

/// Whose the value of a place is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// It is set as it is meant to be.
    Due,
    /// Somebody else set it.
    Other(&'a Setter),
    /// Nobody set it: it is not there, or a default of the server.
    Nobody,
}

impl<'a> Place<'a> {
    /// A field of a map.
    pub(super) fn field(&self, name: &str) -> Self {
        self.below(|fields| fields.get(&format!("f:{name}")))
    }

    /// The element of a list that this one is.
    pub(super) fn element(&self, kind: &ListKind, element: &Value) -> Self {
        match kind {
            ListKind::Whole => self.below(|_| None),
            ListKind::Set => {
                self.below(|fields| keyed(fields, "v:").find(|(key, _)| key == element).map(|(_, fields)| fields))
            }
            ListKind::ByKeys(_) => self.below(|fields| {
                let is_it = |key: &Value| {
                    key.as_object().is_some_and(|key| key.iter().all(|(name, value)| element.get(name) == Some(value)))
                };
                keyed(fields, "k:").find(|(key, _)| is_it(key)).map(|(_, fields)| fields)
            }),
        }
    }

    /// Who owns something as a whole owns all that is in it. Where others own parts of it, an empty entry says only that the map was made.
    fn below(&self, find: impl Fn(&'a Map<String, Value>) -> Option<&'a Value>) -> Self {
        let is_in_parts = self.0.iter().any(|(_, fields)| !fields.is_empty());
        let inside = |(entry, fields): &(&'a Entry<'a>, &'a Map<String, Value>)| {
            if fields.is_empty() {
                return (!is_in_parts).then_some((*entry, *fields));
            }
            Some((*entry, find(fields)?.as_object()?))
        };
        Self(self.0.iter().filter_map(inside).collect())
    }

    /// How the list here is kept. The API server tells it by how it names what is in it.
    pub(super) fn list_kind(&self) -> ListKind {
        for (_, fields) in &self.0 {
            if let Some((key, _)) = keyed(fields, "k:").next() {
                let names = key.as_object().map(|key| key.keys().cloned().collect());
                return ListKind::ByKeys(names.unwrap_or_default());
            }
            if keyed(fields, "v:").next().is_some() {
                return ListKind::Set;
            }
        }
        ListKind::Whole
    }

    /// Whose it is; of several others, the last one's.
    pub(super) fn owner(&self) -> Owner<'a> {
        if self.0.iter().any(|(entry, _)| entry.is_due) {
            return Owner::Due;
        }
        let last = self.0.iter().map(|(entry, _)| &entry.setter).max_by_key(|setter| setter.when);
        last.map_or(Owner::Nobody, Owner::Other)
    }
}

/// What is named so, with its name read as JSON.
fn keyed<'a>(fields: &'a Map<String, Value>, prefix: &'static str) -> impl Iterator<Item = (Value, &'a Value)> {
    fields
        .iter()
        .filter_map(move |(name, inside)| Some((serde_json::from_str(name.strip_prefix(prefix)?).ok()?, inside)))
}
