//! The JSON Schema of the site file, and what follows from it: limits of values, examples, and where a key belongs.

use crate::decode::Range;
use crate::path::{Path, Segment};
use crate::raw;
use crate::tree::{Entry, Node, Value as Content};
use plinth_model::finding::code;
use plinth_model::{Finding, Position};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Address by which editors name the schema.
const ID: &str = "urn:plinth:schema:site:v1";
/// Deepest nesting that is walked; the schema has no cycles, so this only guards against one coming in.
const MAX_DEPTH: usize = 16;

/// The JSON Schema of the site file, draft 2020-12, made from the same types that read it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Value::from(schemars::schema_for!(raw::Site));
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".to_owned(), json!(ID));
        root.insert("title".to_owned(), json!("plinth site file"));
    }
    schema
}

/// A key may be absent, but not stand there with nothing behind it.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Array(kinds)) = entries.get_mut("type") {
                kinds.retain(|kind| kind != "null");
            }
            if let Some(Value::Array(branches)) = entries.get_mut("anyOf") {
                branches.retain(|branch| branch.get("type") != Some(&json!("null")));
            }
            entries.retain(|key, value| key != "default" || !value.is_null());
            entries.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// The schema, to be asked.
pub(crate) struct Shape(Value);

static OF_SITE: LazyLock<Shape> = LazyLock::new(|| Shape(schema()));

impl Shape {
    pub(crate) fn of_site() -> &'static Self {
        &OF_SITE
    }

    /// Follows references, and takes the branch that is not null.
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let target = name.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
            return target.map_or(schema, |target| self.resolve(target));
        }
        match schema
            .get("anyOf")
            .and_then(Value::as_array)
            .and_then(|all| all.iter().find(|s| s.get("type") != Some(&json!("null"))))
        {
            Some(branch) => self.resolve(branch),
            None => schema,
        }
    }

    /// What stands one step deeper; free values have anything below them.
    fn step<'a>(&'a self, schema: &'a Value, segment: &Segment) -> Option<&'a Value> {
        let schema = self.resolve(schema);
        if schema == &Value::Bool(true) {
            return Some(schema);
        }
        let direct = match segment {
            Segment::Index(_) => schema.get("items"),
            Segment::Key(key) => schema
                .get("properties")
                .and_then(|properties| properties.get(key))
                // Names of nodes and the like: whether one is well-formed is not asked here.
                .or_else(|| {
                    schema.get("patternProperties").and_then(Value::as_object).and_then(|all| all.values().next())
                })
                .or_else(|| schema.get("additionalProperties").filter(|extra| **extra != Value::Bool(false))),
        };
        let branches = || schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        direct.or_else(|| branches().find_map(|branch| self.step(branch, segment))).map(|found| self.resolve(found))
    }

    fn at(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(&self.0, |schema, segment| self.step(schema, segment))
    }

    /// Whether a site file may have something at this path. `kubernetes.github.io` is none, although it begins like one.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.at(path).is_some()
    }

    /// Whether a list at this path may be empty, and whether its key may be left out.
    pub(crate) fn list(&self, path: &Path) -> (bool, bool) {
        let needed = self.at(&path.parent()).and_then(|around| around.get("required")).and_then(Value::as_array);
        let is_needed = |key: &str| needed.is_some_and(|needed| needed.iter().any(|name| name == key));
        let least = self.at(path).and_then(|list| list.get("minItems")).and_then(Value::as_u64);
        (least.unwrap_or(0) == 0, path.last_key().is_some_and(|key| !is_needed(key)))
    }

    /// Which of these numbers may stand at this path.
    pub(crate) fn within(&self, path: &Path, numbers: Range) -> Range {
        let limit = |key: &str| self.at(path)?.get(key)?.as_i64().map(i128::from);
        let least = limit("minimum").map_or(numbers.least, |least| least.max(numbers.least));
        let most = limit("maximum").map_or(numbers.most, |most| most.min(numbers.most));
        Range { least, most }
    }

    /// A value that fits there, standing at a place of the file.
    pub(crate) fn example(&self, path: &Path, place: Position) -> Option<Node> {
        let value = self.example_of(self.at(path)?, 0)?;
        Some(synthetic(&value, place))
    }

    fn example_of(&self, schema: &Value, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let schema = self.resolve(schema);
        let first = |key: &str| schema.get(key).and_then(Value::as_array).and_then(|all| all.first());
        if let Some(value) = schema.get("const").or_else(|| first("examples")).or_else(|| first("enum")) {
            return Some(value.clone());
        }
        if let Some(branch) = first("oneOf") {
            return self.example_of(branch, depth + 1);
        }
        match kind_of(schema)? {
            "string" => Some(json!("x")),
            "boolean" => Some(json!(true)),
            "integer" => Some(json!(schema.get("minimum").and_then(Value::as_u64).unwrap_or(1).max(1))),
            "array" if schema.get("minItems").is_some() => {
                Some(json!([self.example_of(schema.get("items")?, depth + 1)?]))
            }
            "array" => Some(json!([])),
            "object" => self.example_object(schema, depth),
            _ => None,
        }
    }

    fn example_object(&self, schema: &Value, depth: usize) -> Option<Value> {
        let mut object = Map::new();
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let property = schema.get("properties")?.get(key)?;
            object.insert(key.to_owned(), self.example_of(property, depth + 1)?);
        }
        Some(Value::Object(object))
    }

    /// Mappings in which this key is known: `kubernetes.network`.
    pub(crate) fn homes(&self, key: &str) -> Vec<String> {
        let mut homes = Vec::new();
        self.search(&self.0, &Path::default(), key, &mut homes);
        homes
    }

    fn search(&self, schema: &Value, path: &Path, key: &str, homes: &mut Vec<String>) {
        if path.0.len() > MAX_DEPTH {
            return;
        }
        let schema = self.resolve(schema);
        for branch in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            self.search(branch, path, key, homes);
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if name == key && !path.0.is_empty() {
                homes.push(path.to_string());
            }
            self.search(property, &path.key(name), key, homes);
        }
    }

    /// Numbers, texts and lists outside the limits that the schema sets.
    pub(crate) fn limits(&self, tree: &Node) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.measure(tree, &self.0, &Path::default(), &mut findings);
        findings
    }

    fn measure(&self, node: &Node, schema: &Value, path: &Path, findings: &mut Vec<Finding>) {
        if node.synthetic || path.0.len() > MAX_DEPTH {
            return;
        }
        findings.extend(beyond(node, schema, path));
        for entry in node.entries().iter().filter(|entry| !entry.value.is_removed()) {
            let segment = Segment::Key(entry.key.clone());
            if let Some(inner) = self.step(schema, &segment) {
                self.measure(&entry.value, inner, &path.key(&entry.key), findings);
            }
        }
        for (index, item) in node.items().iter().enumerate().filter(|(_, item)| !item.is_removed()) {
            let mut inside = path.clone();
            inside.0.push(Segment::Index(index));
            if let Some(inner) = self.step(schema, &Segment::Index(index)) {
                self.measure(item, inner, &inside, findings);
            }
        }
    }
}

/// The kind of a value, null aside.
fn kind_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => None,
    }
}

/// The limit of the schema that a value breaks.
fn beyond(node: &Node, schema: &Value, path: &Path) -> Option<Finding> {
    let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
    let (message, fix) = match &node.value {
        Content::Scalar { text, plain: true } => {
            let number: u64 = text.parse().ok()?;
            let (least, most) = (limit("minimum").unwrap_or(0), limit("maximum").unwrap_or(u64::MAX));
            if (least..=most).contains(&number) || kind_of(schema) != Some("integer") {
                return None;
            }
            let fix = if most == u64::MAX {
                format!("use {least} or more")
            } else {
                format!("use a number from {least} to {most}{}", other_way(path))
            };
            (format!("`{path}` is {number}, which is out of range"), fix)
        }
        Content::Scalar { text, .. } if (text.chars().count() as u64) < limit("minLength")? => {
            (format!("`{path}` is empty"), "write a text, or remove the key where it may be absent".to_owned())
        }
        Content::Sequence(items) if (items.len() as u64) < limit("minItems")? => {
            (format!("`{path}` is empty"), "name at least one".to_owned())
        }
        _ => return None,
    };
    Some(Finding::error(code::SITE_OUT_OF_RANGE, path.to_string(), message).fix(fix))
}

/// What leads to the usual ports all the same.
fn other_way(path: &Path) -> &'static str {
    match path.to_string().as_str() {
        "platform.ingress.http" | "platform.ingress.https" => {
            "; these are ports of the nodes: for 80 and 443 give `platform.loadBalancer.addresses`"
        }
        _ => "",
    }
}

fn synthetic(value: &Value, place: Position) -> Node {
    let inner = |value: &Value| synthetic(value, place);
    let entry = |(key, value): (&String, &Value)| Entry { key: key.clone(), at: place, value: inner(value) };
    let content = match value {
        Value::Array(items) => Content::Sequence(items.iter().map(inner).collect()),
        Value::Object(entries) => Content::Mapping(entries.iter().map(entry).collect()),
        Value::String(text) => Content::Scalar { text: text.clone(), plain: false },
        other => Content::Scalar { text: other.to_string(), plain: true },
    };
    Node { span: place, end_line: place.line, synthetic: true, value: content }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_example_of_every_required_key_can_be_decoded() {
        let shape = Shape::of_site();
        let place = Position { line: 1, column: 1, start: 0, end: 0 };
        let node = shape.example(&Path::default(), place).unwrap();
        let site: raw::Site = crate::decode::decode(&node).unwrap();
        assert_eq!(site.api_version, raw::API_VERSION);
        for path in [
            "platform",
            "runai",
            "nodes.controlPlane[0]",
            "nodes.overrides.a",
            "registries.mirrors[0]",
            "runai.certificate",
        ] {
            assert!(shape.example(&Path::parse(path), place).is_some(), "{path}");
        }
    }

    #[test]
    fn a_subject_that_begins_like_a_path_is_none() {
        let shape = Shape::of_site();
        let known = |text: &str| shape.has(&Path::parse(text));
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

    #[test]
    fn what_a_list_or_a_number_may_be_stands_in_the_schema() {
        let shape = Shape::of_site();
        for (path, list) in [
            ("nodes.controlPlane", (false, false)),
            ("nodes.workers", (true, true)),
            ("nodes.system", (true, true)),
            ("notify.webhooks", (true, false)),
            ("notify.webhooks[0].on", (false, true)),
        ] {
            assert_eq!(shape.list(&Path::parse(path)), list, "{path}");
        }
        let all = Range { least: 0, most: i128::from(u64::MAX) };
        assert_eq!(shape.within(&Path::parse("storage.imagesGib"), all).to_string(), "a whole number, 1 or more");
        assert_eq!(shape.within(&Path::parse("run.parallel"), all).to_string(), "a whole number from 1 to 1000");
    }

    #[test]
    fn the_home_of_a_misplaced_key_is_known() {
        let shape = Shape::of_site();
        assert_eq!(shape.homes("pods"), ["kubernetes.network"]);
        assert!(shape.homes("nonsense").is_empty());
    }
}
