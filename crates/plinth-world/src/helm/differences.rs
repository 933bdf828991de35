//! Values of a release against those wanted. What is told of them never holds a secret that is known as one.

use plinth_model::text::visible;
use plinth_model::{Secret, SecretRef, Values};
use serde_json::{Map, Value};

/// What stands for a secret.
const SECRET: &str = "(secret)";
/// Longest value that is shown, characters.
const LONGEST: usize = 60;
/// Lines at most; the others are counted.
const LINES: usize = 40;
/// Parts of a key, without separators and in small letters, whose value is never shown: secrets that somebody put into values by hand.
const SECRETIVE: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "privatekey",
    "accesskey",
    "credential",
    "dockerconfig",
    "htpasswd",
];

/// Differences, one line each: `+ a.b = 1` is wanted and not there, `- a.b = 1` is there and not wanted, `~ a.b 1 → 2`. Numbers are
/// compared as helm keeps them: `1` and `1.0` are the same, and beyond 53 bits they are not exact.
///
/// # Errors
/// With the first secret that the lookup does not give.
pub fn value_differences<E>(
    there: &Value,
    wanted: &Values,
    lookup: &mut dyn FnMut(&SecretRef) -> Result<Secret, E>,
) -> Result<Vec<String>, E> {
    let mut found = Differences { lines: Vec::new(), lookup };
    found.compare(&mut Vec::new(), there, wanted)?;
    let mut lines = found.lines;
    let more = lines.len().saturating_sub(LINES);
    if more > 0 {
        lines.truncate(LINES);
        lines.push(format!("~ and {more} more values"));
    }
    Ok(lines)
}

struct Differences<'a, E> {
    lines: Vec<String>,
    lookup: &'a mut dyn FnMut(&SecretRef) -> Result<Secret, E>,
}

impl<E> Differences<'_, E> {
    fn compare(&mut self, path: &mut Vec<String>, there: &Value, wanted: &Value) -> Result<(), E> {
        if let Some(reference) = Values::as_reference(wanted) {
            let secret = (self.lookup)(&reference)?;
            if there.as_str() != Some(secret.expose()) {
                self.lines.push(format!("~ {} {SECRET} → {SECRET}", name(path)));
            }
            return Ok(());
        }
        match (there, wanted) {
            (Value::Object(there), Value::Object(wanted)) => self.maps(path, there, wanted),
            (Value::Array(there), Value::Array(wanted)) if there.len() == wanted.len() => {
                for (at, (there, wanted)) in there.iter().zip(wanted).enumerate() {
                    path.push(format!("[{at}]"));
                    self.compare(path, there, wanted)?;
                    path.pop();
                }
                Ok(())
            }
            _ => {
                if !same(there, wanted) {
                    let line = self.changed(path, there, wanted);
                    self.lines.push(line);
                }
                Ok(())
            }
        }
    }

    fn maps(
        &mut self,
        path: &mut Vec<String>,
        there: &Map<String, Value>,
        wanted: &Map<String, Value>,
    ) -> Result<(), E> {
        for (key, value) in wanted {
            path.push(key.clone());
            match there.get(key) {
                Some(there) => self.compare(path, there, value)?,
                None => self.lines.push(format!("+ {} = {}", name(path), shown(path, value))),
            }
            path.pop();
        }
        for (key, value) in there.iter().filter(|(key, _)| !wanted.contains_key(*key)) {
            path.push(key.clone());
            self.lines.push(format!("- {} = {}", name(path), shown(path, value)));
            path.pop();
        }
        Ok(())
    }

    /// Where a secret is wanted somewhere inside, what is there may be one as well.
    fn changed(&self, path: &[String], there: &Value, wanted: &Value) -> String {
        let old = if holds_reference(wanted) { SECRET.to_owned() } else { shown(path, there) };
        format!("~ {} {old} → {}", name(path), shown(path, wanted))
    }
}

/// `a.b[2].c`; a key with a dot in it is quoted.
fn name(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        let index = part.starts_with('[') && part.ends_with(']');
        if !text.is_empty() && !index {
            text.push('.');
        }
        let plain = index || !part.contains('.');
        text.push_str(&if plain { part.clone() } else { format!("\"{part}\"") });
    }
    if text.is_empty() { "values".to_owned() } else { visible(&text).into_owned() }
}

/// A value for people: short, and `(secret)` where its path or a key in it is named as secrets are.
#[must_use]
pub fn shown(path: &[String], value: &Value) -> String {
    if path.iter().any(|key| is_secretive(key)) {
        return SECRET.to_owned();
    }
    let text = masked(value).to_string();
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    visible(&short).into_owned()
}

/// Without references, and without what stands below the name of a secret.
fn masked(value: &Value) -> Value {
    if Values::as_reference(value).is_some() {
        return SECRET.into();
    }
    match value {
        Value::Object(map) => {
            let mask = |(key, value): (&String, &Value)| {
                let value = if is_secretive(key) { SECRET.into() } else { masked(value) };
                (key.clone(), value)
            };
            Value::Object(map.iter().map(mask).collect())
        }
        Value::Array(items) => items.iter().map(masked).collect(),
        scalar => scalar.clone(),
    }
}

fn is_secretive(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRETIVE.iter().any(|word| plain.contains(word))
}

fn holds_reference(value: &Value) -> bool {
    match value {
        Value::Object(map) => Values::as_reference(value).is_some() || map.values().any(holds_reference),
        Value::Array(items) => items.iter().any(holds_reference),
        _ => false,
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(there: Value, wanted: Value) -> Vec<String> {
        let lookup = &mut |reference: &SecretRef| match reference {
            SecretRef::Env(name) => Ok(Secret::new(format!("{name}-hunter2"))),
            _ => Err("not here"),
        };
        value_differences(&there, &Values::new(wanted).unwrap(), lookup).unwrap()
    }

    #[test]
    fn each_difference_is_named_by_its_path() {
        let there = json!({"a": {"b": 1, "c": [1, {"d": "x"}], "old": true}, "same": "y", "list": [1, 2]});
        let wanted = json!({"a": {"b": 2, "c": [1, {"d": "z"}], "example.com/x": null}, "same": "y", "list": [1]});
        let lines = lines(there, wanted);
        let want = [
            "~ a.b 1 → 2",
            "~ a.c[1].d \"x\" → \"z\"",
            "+ a.\"example.com/x\" = null",
            "- a.old = true",
            "~ list [1,2] → [1]",
        ];
        assert_eq!(lines, want);
    }

    #[test]
    fn order_and_the_form_of_numbers_do_not_count() {
        let there = json!({"b": 1.0, "a": {"y": 9_007_199_254_740_992_u64, "x": {}}, "n": 1e3});
        let wanted = json!({"a": {"x": {}, "y": 9_007_199_254_740_993_u64}, "b": 1, "n": 1000});
        assert_eq!(lines(there, wanted), Vec::<String>::new());
        assert_eq!(lines(json!({"a": "1"}), json!({"a": 1})), ["~ a \"1\" → 1"], "a text is no number");
    }

    #[test]
    fn secrets_are_compared_and_never_shown() {
        let wanted = json!({"admin": {"password": {"$secret": {"env": "A"}}}, "list": [{"$secret": {"env": "B"}}]});
        let same = json!({"admin": {"password": "A-hunter2"}, "list": ["B-hunter2"]});
        assert_eq!(lines(same, wanted.clone()), Vec::<String>::new());
        let old = json!({"admin": "hunter2", "list": ["hunter2", "hunter2"], "adminToken": "hunter2", "x": {"api-key": ["hunter2"]}});
        let found = lines(old, wanted.clone());
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(!found.join("\n").contains("hunter2"), "{found:?}");
        let found = lines(json!({"admin": {"password": 5}}), wanted);
        assert_eq!(found, ["~ admin.password (secret) → (secret)", "+ list = [\"(secret)\"]"]);
    }

    #[test]
    fn what_is_long_or_moves_the_cursor_is_cut_and_written_out() {
        let there = json!({"a": "x".repeat(500), "b": "\u{1b}[2J"});
        let found = lines(there, json!({}));
        assert!(found[0].chars().count() < 80 && found[0].ends_with('…'), "{found:?}");
        assert!(!found.join("").contains('\u{1b}'));
        let many: Map<String, Value> = (0..100).map(|n| (format!("k{n}"), n.into())).collect();
        let found = lines(Value::Object(many), json!({}));
        assert_eq!((found.len(), found[40].as_str()), (41, "~ and 60 more values"));
    }

    #[test]
    fn a_secret_that_cannot_be_had_is_an_error() {
        let wanted = Values::new(json!({"a": {"$secret": {"file": "x"}}})).unwrap();
        let said = value_differences(&json!({"a": "x"}), &wanted, &mut |_| Err("not here"));
        assert_eq!(said, Err("not here"));
    }
}
