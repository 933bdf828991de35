//! Which values a chart knows. helm takes unknown keys silently, so somebody else has to look.

use crate::merge::segment;
use crate::site_path::path;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::nearest::nearest;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Keys of maps whose own keys are the user's, even where the chart gives some.
const OPEN_BY_NAME: [&str; 16] = [
    "affinity",
    "annotations",
    "config",
    "containerSecurityContext",
    "data",
    "extraArgs",
    "extraEnvs",
    "global",
    "grafana.ini",
    "labels",
    "limits",
    "nodeSelector",
    "podSecurityContext",
    "requests",
    "resources",
    "securityContext",
];

/// How keys end, in lower case, below which the keys are the user's in charts that nobody here has read.
const OPEN_BY_END: [&str; 18] = [
    "affinity",
    "annotations",
    "args",
    "config",
    "configs",
    "data",
    "env",
    "envs",
    "headers",
    "labels",
    "limits",
    "matchlabels",
    "options",
    "requests",
    "resources",
    "securitycontext",
    "selector",
    "settings",
];

/// How a path may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A map with known keys.
    Map,
    /// A list or a scalar.
    Leaf,
    /// A map whose keys are not known: everything fits below it.
    Open,
}

/// The keys of one version of one chart.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex(BTreeMap<String, Shape>);

/// A key that the chart does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// Dotted path.
    pub path: String,
    /// The most similar known key beside it.
    pub nearest: Option<String>,
}

impl KeyIndex {
    /// Reads `catalog/keys/*.txt`: one path a line, `=` behind a list or scalar, `*` behind an open map, nothing behind a map.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let shape = |line: &str| match line.as_bytes().last() {
            Some(b'*') => Some(Shape::Open),
            Some(b'=') => Some(Shape::Leaf),
            Some(_) => Some(Shape::Map),
            None => None,
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(lines.filter_map(|line| Some((line.trim_end_matches(['*', '=']).to_owned(), shape(line)?))).collect())
    }

    /// Makes the index of a chart's default values. `open` are paths that other data decides about.
    #[must_use]
    pub fn of_values(values: &Value, open: &[&str]) -> Self {
        let mut index = Self::default();
        if let Value::Object(map) = values {
            index.add("", map, &|path, key, _| OPEN_BY_NAME.contains(&key) || open.contains(&path));
        }
        // A sub-chart may stand in no default of its parent.
        index.0.extend(open.iter().map(|path| ((*path).to_owned(), Shape::Open)));
        index
    }

    /// Makes the index of the default values in a package that nobody here has read: a map counts as the user's as soon as it may be. `open`
    /// are dotted paths of which the package knows nothing.
    #[must_use]
    pub fn of_package(values: &Value, open: &[String]) -> Self {
        let mut index = Self::default();
        let is_free = |key: &str, value: &Value| {
            let end = key.to_lowercase();
            let foreign = |map: &Map<String, Value>| map.keys().any(|key| key.contains(['/', '.']));
            OPEN_BY_END.iter().any(|word| end.ends_with(word)) || value.as_object().is_some_and(foreign)
        };
        if let Value::Object(map) = values {
            index.add("", map, &|_, key, value| OPEN_BY_NAME.contains(&key) || is_free(key, value));
        }
        index.0.extend(open.iter().map(|path| (path.clone(), Shape::Open)));
        index
    }

    fn add(&mut self, prefix: &str, map: &Map<String, Value>, is_open: &dyn Fn(&str, &str, &Value) -> bool) {
        for (key, value) in map {
            let path = join(prefix, key);
            let shape = match value {
                value if is_open(&path, key, value) => Shape::Open,
                Value::Null => Shape::Open,
                Value::Object(inner) if inner.is_empty() => Shape::Open,
                Value::Object(inner) => {
                    self.add(&path, inner, is_open);
                    Shape::Map
                }
                _ => Shape::Leaf,
            };
            self.0.insert(path, shape);
        }
    }

    /// The text that [`KeyIndex::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mark = |shape: &Shape| match shape {
            Shape::Map => "",
            Shape::Leaf => "=",
            Shape::Open => "*",
        };
        self.0.iter().map(|(path, shape)| format!("{path}{}\n", mark(shape))).collect()
    }

    /// Keys of `values` that the chart does not know. Keys that stand only in comments of the chart's values are reported too:
    /// they cannot be told from misspelt ones.
    #[must_use]
    pub fn unknown(&self, values: &Value) -> Vec<UnknownKey> {
        let mut unknown = Vec::new();
        if let Value::Object(map) = values {
            self.look("", map, &mut unknown);
        }
        unknown
    }

    /// The same as findings about a site's own values of a component, each with the path of the key.
    #[must_use]
    pub fn doubts(&self, component: &str, version: &str, given: &Value) -> Vec<(String, Finding)> {
        let doubt = |unknown: UnknownKey| {
            let fix = unknown
                .nearest
                .map_or_else(|| "check the chart's values".to_owned(), |nearest| format!("did you mean `{nearest}`?"));
            let message = format!(
                "`{}` is not among the default values of {component} {version}, and helm does not refuse it",
                unknown.path
            );
            let subject = format!("{}.values.{}", path(component), unknown.path);
            let finding = Finding::warning(code::PLATFORM_UNKNOWN_VALUE, subject, message).fix(fix);
            (unknown.path, finding)
        };
        self.unknown(given).into_iter().map(doubt).collect()
    }

    fn look(&self, prefix: &str, map: &Map<String, Value>, unknown: &mut Vec<UnknownKey>) {
        for (key, value) in map {
            let path = join(prefix, key);
            match (self.0.get(&path), value) {
                (Some(Shape::Map), Value::Object(inner)) => self.look(&path, inner, unknown),
                (Some(_), _) => {}
                (None, _) if key == "global" => {}
                (None, _) => unknown.push(UnknownKey { nearest: self.similar(prefix, key), path }),
            }
        }
    }

    fn similar(&self, prefix: &str, key: &str) -> Option<String> {
        let start = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
        let siblings = self.0.keys().filter_map(|path| path.strip_prefix(&start)).filter(|rest| !rest.contains('.'));
        nearest(key, siblings).map(|name| join(prefix, name))
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { segment(key) } else { format!("{prefix}.{}", segment(key)) }
}

#[cfg(test)]
mod tests {
    use super::{KeyIndex, UnknownKey};
    use serde_json::json;

    #[test]
    fn unknown_keys_are_found_and_open_maps_left_alone() {
        let chart = json!({"driver": {"enabled": true, "env": []}, "resources": {"limits": {}}, "extra": {}, "none": null, "a.b": 1});
        let index = KeyIndex::parse(&KeyIndex::of_values(&chart, &[]).to_text());
        let fine = json!({"driver": {"enabled": false, "env": [{"x": 1}]}, "resources": {"q": 1}, "extra": {"q": 1}, "none": {"q": 1}, "a.b": 2, "global": {"q": 1}});
        assert_eq!(index.unknown(&fine), []);
        let wrong = json!({"driver": {"enable": false}, "zzz": 1});
        assert_eq!(
            index.unknown(&wrong),
            [
                UnknownKey { path: "driver.enable".into(), nearest: Some("driver.enabled".into()) },
                UnknownKey { path: "zzz".into(), nearest: None },
            ]
        );
    }

    /// A false alarm is worse than silence about one key.
    #[test]
    fn of_a_package_that_nobody_read_only_certain_keys_are_judged() {
        let defaults = json!({"image": {"tag": "1"}, "podAnnotations": {"a": "b"}, "spread": {"example.com/x": "y"}, "extraEnv": {"A": "b"},
            "free": {}, "list": [{"a": 1}], "sub": {"on": true}});
        let index = KeyIndex::of_package(&defaults, &["away".to_owned()]);
        let fine = json!({"image": {"tag": "2"}, "podAnnotations": {"z": "1"}, "spread": {"q": 1}, "extraEnv": {"Q": 1}, "free": {"x": 1},
            "list": [{"q": 1}], "away": {"x": 1}, "global": {"x": 1}});
        assert_eq!(index.unknown(&fine), []);
        let paths =
            |given| index.doubts("thing", "1.0.0", &given).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(
            paths(json!({"image": {"tga": "2"}, "bogus": 1, "sub": {"off": 1}})),
            ["image.tga", "bogus", "sub.off"]
        );
    }
}
