//! Expressions in catalog values: `{$fact: name}`, `{$text: "https://{name}/x"}`, `{$choose: name, one: .., other: ..}`,
//! `{$concat: [list, list]}`, `{$each: list, do: template}`, `{$value: path, else: ..}`.
//! Data, not a language: no arithmetic, no conditions inside; an unknown fact is an error. Forms: `catalog/README.md`.

use crate::Facts;
use crate::merge::at;
use plinth_model::Version;
use serde::Deserialize;
use serde_json::{Map, Value};

const FACT: &str = "$fact";
const TEXT: &str = "$text";
const CHOOSE: &str = "$choose";
const CONCAT: &str = "$concat";
const VALUE: &str = "$value";
const EACH: &str = "$each";
/// Fact under which a component's complete values stand, for everything that is made after them.
pub(crate) const VALUES: &str = "self.values";
/// Fact of the one thing that a `$each` is at.
const ITEM: &str = "item";

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// No such fact.
    #[error("there is no fact `{0}`")]
    UnknownFact(String),
    /// The fact cannot stand inside a text: a list, a map, a secret, or null.
    #[error("fact `{0}` is not a text, a number or a truth value, so it cannot stand inside a text")]
    NotText(String),
    /// The form itself is wrong.
    #[error("`{0}` is not an expression: {1}")]
    Form(String, String),
    /// `$choose` has no branch for the value.
    #[error("no choice for `{value}` of fact `{fact}`")]
    NoChoice {
        /// The one whose value chooses the branch.
        fact: String,
        /// What it is at this site; no secret, since a secret cannot choose.
        value: String,
    },
}

/// Replaces every expression in a value.
///
/// # Errors
/// At the first expression that has no value.
pub fn render(value: &Value, facts: &Facts) -> Result<Value, ExpressionError> {
    match value {
        Value::Object(map) => render_map(map, facts),
        Value::Array(items) => {
            items.iter().map(|item| render(item, facts)).collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        scalar => Ok(scalar.clone()),
    }
}

fn render_map(map: &Map<String, Value>, facts: &Facts) -> Result<Value, ExpressionError> {
    let argument = |form: &str| map.get(form).map(|value| value.as_str().ok_or_else(|| wrong(form, "it takes a text")));
    let alone = |form: &str| if map.len() == 1 { Ok(()) } else { Err(wrong(form, "no other key may stand beside it")) };
    if let Some(name) = argument(FACT) {
        alone(FACT)?;
        return fact(facts, name?).cloned();
    }
    if let Some(template) = argument(TEXT) {
        alone(TEXT)?;
        return interpolate(template?, facts).map(Value::from);
    }
    if let Some(name) = argument(CHOOSE) {
        return choose(name?, map, facts);
    }
    if let Some(lists) = map.get(CONCAT) {
        alone(CONCAT)?;
        return concat(lists, facts);
    }
    if let Some(path) = argument(VALUE) {
        return value_or_else(path?, map, facts);
    }
    if let Some(name) = argument(EACH) {
        return each(name?, map, facts);
    }
    if let Some(unknown) = map.keys().find(|key| key.starts_with('$')) {
        return Err(wrong(unknown, "the forms are $fact, $text, $choose, $concat, $value and $each"));
    }
    map.iter()
        .map(|(key, value)| Ok((key.clone(), render(value, facts)?)))
        .collect::<Result<Map<_, _>, _>>()
        .map(Value::from)
}

fn wrong(form: &str, rule: &str) -> ExpressionError {
    ExpressionError::Form(form.to_owned(), rule.to_owned())
}

pub(crate) fn fact<'a>(facts: &'a Facts, name: &str) -> Result<&'a Value, ExpressionError> {
    facts.get(name).ok_or_else(|| ExpressionError::UnknownFact(name.to_owned()))
}

fn choose(name: &str, branches: &Map<String, Value>, facts: &Facts) -> Result<Value, ExpressionError> {
    let value = as_text(fact(facts, name)?, name)?;
    match branches.get(&value) {
        Some(branch) => render(branch, facts),
        None => Err(ExpressionError::NoChoice { fact: name.to_owned(), value }),
    }
}

fn concat(lists: &Value, facts: &Facts) -> Result<Value, ExpressionError> {
    let not_lists = || wrong(CONCAT, "it takes a list of lists");
    let mut all = Vec::new();
    for list in lists.as_array().ok_or_else(not_lists)? {
        match render(list, facts)? {
            Value::Array(items) => all.extend(items),
            _ => return Err(not_lists()),
        }
    }
    Ok(Value::Array(all))
}

/// What stands at a path of the component's complete values; what stands beside it under `else` where that is nothing.
fn value_or_else(path: &str, map: &Map<String, Value>, facts: &Facts) -> Result<Value, ExpressionError> {
    let otherwise = map.get("else").filter(|_| map.len() == 2);
    let otherwise = otherwise.ok_or_else(|| wrong(VALUE, "it stands beside `else`, and beside nothing more"))?;
    match at(fact(facts, VALUES)?, path).filter(|value| !is_empty(value)) {
        Some(value) => Ok(value.clone()),
        None => render(otherwise, facts),
    }
}

/// A list: the template under `do`, once for each thing of the fact's list. Inside it the thing is fact `item`, and the keys of a map
/// are `item.<key>`.
fn each(name: &str, map: &Map<String, Value>, facts: &Facts) -> Result<Value, ExpressionError> {
    let template = map.get("do").filter(|_| map.len() == 2);
    let template = template.ok_or_else(|| wrong(EACH, "it stands beside `do`, and beside nothing more"))?;
    let things = fact(facts, name)?.as_array().ok_or_else(|| wrong(EACH, "it takes a fact that is a list"))?;
    let one = |thing: &Value| {
        let mut inner = facts.clone();
        let keys = thing.as_object().into_iter().flatten();
        inner.extend(keys.map(|(key, value)| (format!("{ITEM}.{key}"), value.clone())));
        inner.insert(ITEM.to_owned(), thing.clone());
        render(template, &inner)
    };
    things.iter().map(one).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// Renders templates of things that belong in one list; a template that gives a list gives several.
///
/// # Errors
/// As [`render`].
pub fn render_all<'v>(
    templates: impl IntoIterator<Item = &'v Value>,
    facts: &Facts,
) -> Result<Vec<Value>, ExpressionError> {
    let mut all = Vec::new();
    for template in templates {
        match render(template, facts)? {
            Value::Array(several) => all.extend(several),
            one => all.push(one),
        }
    }
    Ok(all)
}

fn as_text(value: &Value, name: &str) -> Result<String, ExpressionError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(ExpressionError::NotText(name.to_owned())),
    }
}

/// `{name}` becomes the fact's text; `{{` and `}}` are single braces.
fn interpolate(template: &str, facts: &Facts) -> Result<String, ExpressionError> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(brace);
        text.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            text.push_str(from.get(..1).unwrap_or_default());
            rest = after;
        } else if let Some((name, after)) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            text.push_str(&as_text(fact(facts, name)?, name)?);
            rest = after;
        } else {
            return Err(wrong(TEXT, "a brace is not closed; write {{ or }} for a brace itself"));
        }
    }
    text.push_str(rest);
    Ok(text)
}

/// A condition on one fact, or on one of the component's complete values. Exactly one test is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// Name of one of the [`Facts`]; one that does not exist is an error.
    #[serde(default)]
    pub fact: Option<String>,
    /// Dotted path into the component's complete values instead; what is not there is null. Only for what is made after the values.
    #[serde(default)]
    pub value: Option<String>,
    /// It is equal to this, in kind too: the text `1` is not the number.
    #[serde(default)]
    pub is: Option<Value>,
    /// It is not equal to this.
    #[serde(default)]
    pub is_not: Option<Value>,
    /// It is there, and neither null nor empty (or the opposite).
    #[serde(default)]
    pub is_set: Option<bool>,
    /// It is a version, not lower than this.
    #[serde(default)]
    pub at_least: Option<Version>,
    /// It is a version, lower than this.
    #[serde(default)]
    pub below: Option<Version>,
}

impl Condition {
    /// Whether it holds.
    ///
    /// # Errors
    /// For an unknown fact, a fact that is not a version where one is needed, or a condition with no test or several.
    pub fn holds(&self, facts: &Facts) -> Result<bool, ExpressionError> {
        let (name, value) = self.subject(facts)?;
        let version = || {
            let text = value.as_str().ok_or_else(|| ExpressionError::NotText(name.to_owned()))?;
            text.parse::<Version>().map_err(|error| wrong(name, &error.to_string()))
        };
        match (&self.is, &self.is_not, self.is_set, &self.at_least, &self.below) {
            (Some(wanted), None, None, None, None) => Ok(value == wanted),
            (None, Some(other), None, None, None) => Ok(value != other),
            (None, None, Some(set), None, None) => Ok(is_empty(value) != set),
            (None, None, None, Some(least), None) => Ok(version()? >= *least),
            (None, None, None, None, Some(above)) => Ok(version()? < *above),
            _ => Err(wrong(name, "a condition has exactly one test")),
        }
    }

    /// What it is about.
    fn subject<'a>(&'a self, facts: &'a Facts) -> Result<(&'a str, &'a Value), ExpressionError> {
        match (&self.fact, &self.value) {
            (Some(name), None) => Ok((name, fact(facts, name)?)),
            (None, Some(path)) => Ok((path, at(fact(facts, VALUES)?, path).unwrap_or(&Value::Null))),
            _ => Err(wrong("when", "a condition is about one fact or one value")),
        }
    }
}

/// Whether all conditions hold.
///
/// # Errors
/// As [`Condition::holds`].
pub fn all_hold(conditions: &[Condition], facts: &Facts) -> Result<bool, ExpressionError> {
    for condition in conditions {
        if !condition.holds(facts)? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Condition, ExpressionError, render};
    use crate::Facts;
    use serde_json::{Value, json};

    fn facts() -> Facts {
        [
            ("host", json!("a.example")),
            ("port", json!(8443)),
            ("names", json!(["x", "y"])),
            ("none", json!(null)),
            ("token", json!({"$secret": {"env": "TOKEN"}})),
            ("version", json!("v1.18.2")),
            ("pairs", json!([{"k": 1}, {"k": 2}])),
            (super::VALUES, json!({"a": {"b": "given", "empty": ""}})),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    #[test]
    fn forms_are_replaced_at_any_depth() {
        let cases = [
            (json!({"a": [{"$fact": "names"}]}), json!({"a": [["x", "y"]]})),
            (json!({"$fact": "port"}), json!(8443)),
            (json!({"$concat": [[1], {"$fact": "names"}, []]}), json!([1, "x", "y"])),
            (json!({"$text": "{port}"}), json!("8443")),
            (json!({"$text": "https://{host}:{port}/{{x}}"}), json!("https://a.example:8443/{x}")),
            (json!({"p": {"$fact": "token"}}), json!({"p": {"$secret": {"env": "TOKEN"}}})),
            (json!({"$choose": "port", "8443": "odd", "443": "standard"}), json!("odd")),
            (json!({"$value": "a.b", "else": 1}), json!("given")),
            (json!({"$value": "a.none", "else": {"$fact": "port"}}), json!(8443)),
            (json!({"$value": "a.empty", "else": 1}), json!(1)),
            (json!({"$each": "names", "do": {"n": {"$text": "<{item}>"}}}), json!([{"n": "<x>"}, {"n": "<y>"}])),
            (json!({"$each": "pairs", "do": {"$fact": "item.k"}}), json!([1, 2])),
        ];
        for (expression, value) in cases {
            assert_eq!(render(&expression, &facts()), Ok(value), "{expression}");
        }
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        let cases = [
            (json!({"$fact": "hots"}), ExpressionError::UnknownFact("hots".into())),
            (json!({"$text": "{token}"}), ExpressionError::NotText("token".into())),
            (json!({"$text": "{none}"}), ExpressionError::NotText("none".into())),
            (
                json!({"$choose": "host", "b": 1}),
                ExpressionError::NoChoice { fact: "host".into(), value: "a.example".into() },
            ),
        ];
        for (expression, error) in cases {
            assert_eq!(render(&expression, &facts()), Err(error), "{expression}");
        }
        for form in [
            json!({"$text": "{host"}),
            json!({"$fact": 1}),
            json!({"$fact": "host", "b": 1}),
            json!({"$every": "names"}),
            json!({"$concat": [{"$fact": "host"}]}),
            json!({"$value": "a.b"}),
            json!({"$value": "a.b", "else": 1, "more": 2}),
            json!({"$each": "host", "do": 1}),
            json!({"$each": "names"}),
        ] {
            assert!(matches!(render(&form, &facts()), Err(ExpressionError::Form(..))), "{form}");
        }
    }

    #[test]
    fn several_things_of_one_template_join_one_list() {
        let templates = [json!({"$each": "names", "do": {"$fact": "item"}}), json!("z")];
        assert_eq!(super::render_all(&templates, &facts()), Ok(vec![json!("x"), json!("y"), json!("z")]));
    }

    #[test]
    fn conditions_have_exactly_one_test() {
        let holds = |condition: Value| serde_json::from_value::<Condition>(condition).unwrap().holds(&facts());
        assert_eq!(holds(json!({"fact": "port", "is": 8443})), Ok(true));
        assert_eq!(holds(json!({"fact": "port", "isNot": 8443})), Ok(false));
        assert_eq!(holds(json!({"fact": "none", "isSet": false})), Ok(true));
        assert_eq!(holds(json!({"fact": "version", "atLeast": "1.18"})), Ok(true));
        assert_eq!(holds(json!({"fact": "version", "below": "1.18"})), Ok(false));
        assert_eq!(holds(json!({"value": "a.b", "is": "given"})), Ok(true));
        assert_eq!(holds(json!({"value": "a.none", "isNot": false})), Ok(true));
        assert_eq!(holds(json!({"value": "a.empty", "isSet": true})), Ok(false));
        assert!(holds(json!({"is": 1})).is_err());
        assert!(holds(json!({"fact": "port", "value": "a.b", "is": 1})).is_err());
        assert!(holds(json!({"fact": "version"})).is_err());
        assert!(holds(json!({"fact": "port", "is": 1, "isNot": 2})).is_err());
        assert!(holds(json!({"fact": "port", "atLeast": "1"})).is_err());
    }
}
