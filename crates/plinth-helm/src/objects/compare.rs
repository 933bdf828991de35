//! An object as helm applied it against the object as it is. Only what the manifest sets counts, and only where somebody else has set it or
//! it is gone: what helm still owns was put into another form by the API server or by a webhook (`1000m` and `1`), what a subresource
//! such as `scale` set is meant to change, and defaults are nobody's.

use super::owners::{ListKind, Owner, Owners, Place, Setter};
use plinth_model::text::visible;
use plinth_world::helm::shown;
use serde_json::{Map, Value, json};

/// A bundle of authorities that something puts into a webhook, an APIService or a definition: charts set it to nothing or a placeholder.
const INJECTED: &str = "caBundle";
/// Of what the server writes or nobody changes, nothing is compared: these say what the object is.
const NOT_COMPARED: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];
/// Longest text that is shown, characters.
const LONGEST: usize = 60;
const SECRET: &str = "(secret)";

/// One field that is otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edit {
    /// As a person reads it: `spec.template.spec.containers[app].image`.
    pub(super) field: String,
    /// Where it is in the live object, or comes to be (RFC 6901).
    pub(super) pointer: String,
    /// What is there; none: it is gone.
    pub(super) there: Option<Value>,
    /// What helm applied.
    pub(super) wanted: Value,
    /// Who set it; none where it is gone.
    pub(super) by: Option<Setter>,
    /// Nothing of its value may be shown.
    is_secret: bool,
}

impl Edit {
    /// `+ Service a/b: spec.x = 1, which ..` or `~ Deployment a/b: spec.replicas 2 → 1, set by ..`.
    pub(super) fn line(&self, object: &str) -> String {
        let (field, wanted) = (visible(&self.field), self.shown(&self.wanted));
        match (&self.there, &self.by) {
            (None, _) => format!("+ {object}: {field} = {wanted}, which somebody removed"),
            (Some(there), by) => format!(
                "~ {object}: {field} {} → {wanted}{}",
                self.shown(there),
                by.as_ref().map(set_by).unwrap_or_default()
            ),
        }
    }

    fn shown(&self, value: &Value) -> String {
        if self.is_secret {
            return SECRET.to_owned();
        }
        match value.as_str() {
            Some(text) if text.contains('\n') || text.chars().nth(LONGEST).is_some() => {
                format!("(text, {} bytes)", text.len())
            }
            _ => shown(std::slice::from_ref(&self.field), value),
        }
    }

    /// What sets it back, as an operation of a JSON patch.
    pub(super) fn operation(&self) -> Value {
        let operation = if self.there.is_some() { "replace" } else { "add" };
        json!({"op": operation, "path": self.pointer, "value": self.wanted})
    }
}

fn set_by(setter: &Setter) -> String {
    let when = setter.when.map(|when| format!(" at {when}")).unwrap_or_default();
    format!(", set by {}{when}", visible(&setter.name))
}

/// Fields of the live object that are otherwise than in the manifest.
pub(super) fn edits(manifest: &Value, live: &Value) -> Vec<Edit> {
    let owners = Owners::of(live);
    let kind = manifest["kind"].as_str().unwrap_or_default();
    let mut walk = Walk { path: Vec::new(), edits: Vec::new(), kind };
    let top = owners.top();
    let (Some(wanted), Some(there)) = (manifest.as_object(), live.as_object()) else { return Vec::new() };
    walk.map(wanted.iter().filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str())), there, &top);
    let nothing = Map::new();
    let metadata = live["metadata"].as_object().unwrap_or(&nothing);
    let marks = manifest["metadata"].as_object().into_iter().flatten();
    walk.path.push(Part::field("metadata"));
    walk.map(
        marks.filter(|(name, _)| matches!(name.as_str(), "labels" | "annotations")),
        metadata,
        &top.field("metadata"),
    );
    walk.edits
}

/// One part of a path.
#[derive(Clone)]
struct Part {
    /// `.name` or `[name]`.
    said: String,
    pointed: String,
}

impl Part {
    fn field(name: &str) -> Self {
        let plain = !name.contains('.');
        let said = if plain { format!(".{name}") } else { format!(".\"{name}\"") };
        Self { said, pointed: name.replace('~', "~0").replace('/', "~1") }
    }

    fn element(said: &str, place: &str) -> Self {
        Self { said: format!("[{said}]"), pointed: place.to_owned() }
    }
}

struct Walk<'a> {
    path: Vec<Part>,
    edits: Vec<Edit>,
    kind: &'a str,
}

impl Walk<'_> {
    fn map<'v>(
        &mut self,
        wanted: impl IntoIterator<Item = (&'v String, &'v Value)>,
        live: &Map<String, Value>,
        place: &Place<'_>,
    ) {
        for (name, wanted) in wanted {
            if wanted.is_null() || name == INJECTED {
                continue;
            }
            self.path.push(Part::field(name));
            if !self.is_left_out() {
                self.value(wanted, live.get(name), &place.field(name));
            }
            self.path.pop();
        }
    }

    /// A volume that was made larger never becomes smaller again.
    fn is_left_out(&self) -> bool {
        let names: Vec<&str> = self.path.iter().map(|part| part.pointed.as_str()).collect();
        self.kind == "PersistentVolumeClaim" && names == ["spec", "resources"]
    }

    fn value(&mut self, wanted: &Value, live: Option<&Value>, place: &Place<'_>) {
        match (wanted, live.filter(|live| !live.is_null())) {
            // To set nothing is to leave it to others; what is nothing is not kept, but in a map of texts.
            (Value::Object(wanted), _) if wanted.is_empty() => {}
            (Value::Array(wanted), _) if wanted.is_empty() => {}
            (Value::String(wanted), _) if wanted.is_empty() && self.kind == "Secret" => {}
            (_, None) if is_nothing(wanted) && !self.is_in_texts() => {}
            (Value::Object(wanted), Some(Value::Object(live))) => self.map(wanted, live, place),
            (Value::Array(wanted), Some(Value::Array(live))) => self.list(wanted, live, place),
            (_, Some(live)) if same(wanted, live) => {}
            (_, live) => self.otherwise(wanted, live, place),
        }
    }

    fn otherwise(&mut self, wanted: &Value, live: Option<&Value>, place: &Place<'_>) {
        let by = match (live, place.owner()) {
            (Some(_), Owner::Due | Owner::Nobody) => return,
            (Some(_), Owner::Other(setter)) => Some(setter.clone()),
            (None, _) => None,
        };
        let said: String = self.path.iter().map(|part| part.said.as_str()).collect();
        let pointer = self.path.iter().map(|part| format!("/{}", part.pointed)).collect();
        let field = said.trim_start_matches('.').to_owned();
        let is_secret = self.kind == "Secret" && field.starts_with("data");
        self.edits.push(Edit { field, pointer, there: live.cloned(), wanted: wanted.clone(), by, is_secret });
    }

    fn list(&mut self, wanted: &[Value], live: &[Value], place: &Place<'_>) {
        match place.list_kind() {
            ListKind::Whole => {
                let alike =
                    wanted.len() == live.len() && wanted.iter().zip(live).all(|(wanted, live)| holds(live, wanted));
                if !alike {
                    self.otherwise(&wanted.into(), Some(&live.into()), place);
                }
            }
            kind @ ListKind::Set => {
                for wanted in wanted.iter().filter(|wanted| !live.iter().any(|live| same(wanted, live))) {
                    self.path.push(Part::element(&plain(wanted), "-"));
                    self.otherwise(wanted, None, &place.element(&kind, wanted));
                    self.path.pop();
                }
            }
            ListKind::ByKeys(keys) => self.elements(wanted, live, &keys, place),
        }
    }

    fn elements(&mut self, wanted: &[Value], live: &[Value], keys: &[String], place: &Place<'_>) {
        let mut taken = Vec::new();
        for wanted in wanted {
            let is_it = |(at, live): &(usize, &Value)| !taken.contains(at) && is_same_element(wanted, live, keys);
            let found = live.iter().enumerate().find(is_it);
            let known_by = keys.iter().filter_map(|key| wanted.get(key)).map(plain).collect::<Vec<_>>().join("/");
            match found {
                Some((at, live)) => {
                    taken.push(at);
                    self.path.push(Part::element(&known_by, &at.to_string()));
                    self.value(wanted, Some(live), &place.element(&ListKind::ByKeys(keys.to_vec()), live));
                }
                None => {
                    self.path.push(Part::element(&known_by, "-"));
                    self.otherwise(wanted, None, place);
                }
            }
            self.path.pop();
        }
    }

    /// In a map from texts to texts, where an empty text is one, too.
    fn is_in_texts(&self) -> bool {
        let names: Vec<&str> = self.path.iter().map(|part| part.pointed.as_str()).collect();
        matches!(names.as_slice(), ["data", _] | ["metadata", "labels" | "annotations", _])
    }
}

/// Keys that the manifest leaves out have their default, of which only that of a protocol is known here.
fn is_same_element(wanted: &Value, live: &Value, keys: &[String]) -> bool {
    keys.iter().all(|key| match (wanted.get(key), live.get(key)) {
        (Some(wanted), Some(live)) => same(wanted, live),
        (None, Some(live)) => key != "protocol" || live == "TCP",
        (None, None) => true,
        (Some(_), None) => false,
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the API server does not keep.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(map) => map.values().all(is_nothing),
        Value::Bool(true) => false,
    }
}

/// Whether all that is wanted is there; what is there beside it are defaults.
fn holds(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(name, wanted)| match live.get(name) {
            Some(live) => wanted.is_null() || holds(live, wanted),
            None => is_nothing(wanted),
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| holds(live, wanted))
        }
        _ => same(live, wanted),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}
