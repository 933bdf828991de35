//! What is right or wrong about what a chart renders, as functions of values.

use plinth_model::steps::Health;
use plinth_plan::manifests::{is_image, without_tag};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What operators make of an object: resource, kind of the object, and whether it has the object's name (SR-IOV Network Operator: a state for
/// each node that a policy is about, and a definition for each network).
const MADE_OF: [(&str, &str, bool); 2] = [
    ("sriovnetworknodestates.sriovnetwork.openshift.io", "SriovNetworkNodePolicy", false),
    ("network-attachment-definitions.k8s.cni.cncf.io", "SriovIBNetwork", true),
];

/// Rules of health that name what nobody makes: neither the chart, nor the objects beside it, nor an operator of one of them.
pub(super) fn unfounded(rules: &[Health], namespace: &str, objects: &[Value]) -> Vec<String> {
    let missing = |rule: &&Health| match rule {
        Health::Workload { kind, name } => !objects.iter().any(|object| is_named(object, kind, name, namespace)),
        Health::Field { resource, name, .. } | Health::Condition { resource, name, .. } => {
            let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
            let has_name = |object: &Value| object["metadata"]["name"] == name.as_str();
            let made_of = MADE_OF.iter().find(|(made, ..)| made == resource);
            !objects.iter().any(|object| match made_of {
                Some((_, kind, same_name)) => object["kind"] == *kind && (!same_name || has_name(object)),
                None => is_resource(object, plural, group) && has_name(object),
            })
        }
        Health::Allocatable { .. } => false,
    };
    let words = |rule: &Health| match rule {
        Health::Workload { kind, name } => format!("{kind} {namespace}/{name}"),
        Health::Field { resource, name, .. } | Health::Condition { resource, name, .. } => format!("{resource} {name}"),
        Health::Allocatable { resource, .. } => resource.clone(),
    };
    rules.iter().filter(missing).map(words).collect()
}

fn is_named(object: &Value, kind: &str, name: &str, namespace: &str) -> bool {
    let there = object["metadata"]["namespace"].as_str().unwrap_or(namespace);
    object["kind"] == kind && object["metadata"]["name"] == name && there == namespace
}

/// Whether an object is one of a resource: its kind in small letters is the plural without its ending.
fn is_resource(object: &Value, plural: &str, group: &str) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    let of_group =
        object["apiVersion"].as_str().and_then(|version| version.split_once('/')).is_some_and(|(of, _)| of == group);
    let ending = plural.strip_prefix(kind.as_str());
    let irregular = kind.strip_suffix('y').is_some_and(|stem| plural == format!("{stem}ies"));
    of_group && (matches!(ending, Some("s" | "es")) || irregular)
}

/// Images of the manifests that the catalog does not list. `named`: images with whether an operator may write more behind the tag.
pub(super) fn unlisted(named: &[(String, bool)], listed: &[String], idle: &[String]) -> Vec<String> {
    let is_idle = |image: &str| idle.iter().any(|idle| idle == without_tag(image));
    let missing = |named: &&(String, bool)| !listed.iter().any(|listed| is_it(listed, named)) && !is_idle(&named.0);
    let missing: BTreeSet<String> = named.iter().filter(missing).map(|(image, _)| image.clone()).collect();
    missing.into_iter().collect()
}

/// Whether anything names a listed image. `text`: all that was rendered, since images also stand in arguments and settings.
pub(super) fn is_named_by(listed: &str, named: &[(String, bool)], text: &str) -> bool {
    let short = listed.strip_prefix("docker.io/").unwrap_or(listed).trim_start_matches("library/");
    named.iter().any(|named| is_it(listed, named)) || text.contains(short)
}

fn is_it(listed: &str, (image, may_go_on): &(String, bool)) -> bool {
    is_image(listed, image, *may_go_on)
}

/// Paths of all values that are no map with something in it. Empty ones and nulls say nothing.
pub(super) fn leaves(values: &Value) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    walk(values, &mut Vec::new(), &mut all);
    all
}

fn walk(value: &Value, path: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(map) if plinth_model::Values::as_reference(value).is_none() => {
            for (key, value) in map {
                path.push(key.clone());
                walk(value, path, all);
                path.pop();
            }
        }
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        _ => all.push(path.clone()),
    }
}

/// The values without what stands at a path.
pub(super) fn without(values: &Value, path: &[String]) -> Value {
    let mut values = values.clone();
    if let Some((map, key)) = place(&mut values, path) {
        map.remove(key);
    }
    values
}

/// The values with something else at a path.
pub(super) fn changed(values: &Value, path: &[String]) -> Value {
    let mut values = values.clone();
    if let Some((map, key)) = place(&mut values, path)
        && let Some(value) = map.get_mut(key)
    {
        *value = other(value);
    }
    values
}

fn place<'v, 'p>(values: &'v mut Value, path: &'p [String]) -> Option<(&'v mut Map<String, Value>, &'p str)> {
    let (last, before) = path.split_last()?;
    let found = before.iter().try_fold(values, |value, key| value.get_mut(key))?;
    Some((found.as_object_mut()?, last))
}

fn other(value: &Value) -> Value {
    match value {
        Value::Bool(yes) => (!yes).into(),
        Value::Number(number) => json!(number.as_i64().unwrap_or(0) + 1),
        Value::String(text) => format!("{text}x").into(),
        Value::Array(_) => json!([]),
        Value::Object(_) | Value::Null => "x".into(),
    }
}

/// Whether something else came out. `again`: the same question a second time, since what a chart makes up anew each time says nothing. Lines
/// are counted: the same toleration stands in many pods.
pub(super) fn acts(text: &str, again: &str, other: &str) -> bool {
    let (text, again, other) = (counted(text), counted(again), counted(other));
    let of = |lines: &BTreeMap<&str, usize>, line: &str| lines.get(line).copied().unwrap_or(0);
    let is_gone = text.iter().any(|(line, times)| (*times).min(of(&again, line)) > of(&other, line));
    let new = |lines: &BTreeMap<&str, usize>| -> usize {
        lines.iter().map(|(line, times)| times.saturating_sub(of(&text, line))).sum()
    };
    is_gone || new(&other) > new(&again)
}

fn counted(text: &str) -> BTreeMap<&str, usize> {
    let mut lines = BTreeMap::new();
    text.lines().for_each(|line| *lines.entry(line).or_insert(0) += 1);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_health_names_what_is_rendered() {
        let rules: Vec<Health> = serde_json::from_value(json!([
            {"type": "workload", "kind": "Deployment", "name": "a"},
            {"type": "condition", "resource": "clusterpolicies.nvidia.com", "name": "p", "condition": "Ready"},
            {"type": "field", "resource": "storageclasses.storage.k8s.io", "name": "c", "path": ".x", "equals": "y"},
            {"type": "allocatable", "resource": "nvidia.com/gpu"},
        ]))
        .expect("rules");
        let right = [
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}),
            json!({"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}}),
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "c"}}),
        ];
        assert_eq!(unfounded(&rules, "n", &right), [""; 0]);
        let mut elsewhere = right.clone();
        elsewhere[0]["metadata"]["namespace"] = "other".into();
        elsewhere[1]["apiVersion"] = "kyverno.io/v1".into();
        elsewhere[2]["metadata"]["name"] = "d".into();
        assert_eq!(
            unfounded(&rules, "n", &elsewhere),
            ["Deployment n/a", "clusterpolicies.nvidia.com p", "storageclasses.storage.k8s.io c"]
        );
    }

    #[test]
    fn what_an_operator_makes_is_founded_on_what_it_makes_it_of() {
        let rule = |resource: &str, name: &str| Health::Field {
            resource: resource.to_owned(),
            name: name.to_owned(),
            namespace: String::new(),
            path: ".x".to_owned(),
            equals: "y".to_owned(),
        };
        let rules = [rule(MADE_OF[0].0, "node"), rule(MADE_OF[1].0, "ib0")];
        let object = |kind: &str, name: &str| json!({"kind": kind, "metadata": {"name": name}});
        let right = [object("SriovNetworkNodePolicy", "ib0"), object("SriovIBNetwork", "ib0")];
        assert_eq!(unfounded(&rules, "n", &right), [""; 0]);
        let wrong = [object("SriovIBNetwork", "ib1")];
        assert_eq!(unfounded(&rules, "n", &wrong).len(), 2);
    }

    #[test]
    fn images_are_compared_in_both_directions() {
        let named = [
            ("quay.io/a:1".to_owned(), false),
            ("nvcr.io/driver:5".to_owned(), true),
            ("nvcr.io/idle:1".to_owned(), true),
        ];
        let listed = |all: &[&str]| all.iter().map(|image| (*image).to_owned()).collect::<Vec<_>>();
        let idle = listed(&["nvcr.io/idle"]);
        let right = listed(&["quay.io/a:1", "nvcr.io/driver:5-ubuntu22.04", "docker.io/library/busybox:1"]);
        assert_eq!(unlisted(&named, &right, &idle), [""; 0]);
        assert_eq!(
            unlisted(&named, &listed(&["quay.io/a:2"]), &[]),
            ["nvcr.io/driver:5", "nvcr.io/idle:1", "quay.io/a:1"]
        );
        assert!(right.iter().all(|listed| is_named_by(listed, &named, "image: busybox:1")));
        assert!(!is_named_by("quay.io/a:2", &named, "") && !is_named_by(&right[2], &named, ""));
    }

    #[test]
    fn each_value_is_taken_away_and_changed_by_itself() {
        let values = json!({"a": {"b": true, "c": {}}, "d": [1], "e": null, "f": {"$secret": {"env": "X"}}, "g": "t"});
        let paths = leaves(&values);
        assert_eq!(paths.iter().map(|path| path.join(".")).collect::<Vec<_>>(), ["a.b", "d", "f", "g"]);
        assert_eq!(without(&values, &paths[0])["a"], json!({"c": {}}));
        assert_eq!(changed(&values, &paths[0])["a"]["b"], false);
        assert_eq!(
            (changed(&values, &paths[1])["d"].clone(), changed(&values, &paths[3])["g"].clone()),
            (json!([]), json!("tx"))
        );
    }

    #[test]
    fn what_is_made_up_anew_does_not_count() {
        let (text, again) = ("a\nkey: 1\nb", "a\nkey: 2\nb");
        assert!(!acts(text, again, "a\nkey: 3\nb"));
        assert!(acts(text, again, "a\nkey: 3") && acts(text, again, "a\nkey: 3\nb\nc") && !acts(text, text, text));
        let twice = "- key: x\na\n- key: x";
        assert!(acts(twice, twice, "- key: x\na"), "it stood there for another pod, too");
    }
}
