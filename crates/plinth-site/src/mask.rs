//! Hides literal secrets in the source text that is shown beside findings. Masked text keeps its length in bytes and
//! characters, so positions stay true.

pub(crate) mod login;
mod stars;

use crate::raw::secret::is_variable;
use crate::tree::{Node, Value};
use plinth_model::Finding;
use stars::hide;
use std::ops::Range;

/// Parts of key names behind which secrets stand.
const PARTS: [&str; 7] = ["password", "passwd", "passphrase", "passwort", "secret", "token", "credential"];
/// Whole key names behind which secrets stand.
const WHOLE: [&str; 6] = ["key", "pass", "pw", "privatekey", "apikey", "accesskey"];
/// Words a key may be a misspelling of.
const MISSPELLED: [&str; 3] = ["password", "token", "secret"];

/// Whether a secret may stand behind this key. Rather one too many: the price is a line shown with stars.
pub(crate) fn is_secret_key(key: &str) -> bool {
    let plain = key.chars().take(80).collect::<String>().to_lowercase().replace(['-', '_'], "");
    PARTS.iter().any(|part| plain.contains(part))
        || WHOLE.contains(&plain.as_str())
        || plain.ends_with("pass")
        || plain.ends_with("pw")
        || MISSPELLED.iter().any(|word| strsim::damerau_levenshtein(&plain, word) <= 2)
}

/// The text with every literal secret hidden, by the tree where there is one, else line by line.
pub(crate) fn masked(text: &str, tree: Option<&Node>) -> String {
    let mut spans = Vec::new();
    match tree {
        Some(tree) => {
            collect(tree, &mut spans);
            login::unlike_written(text, tree, &mut spans);
        }
        None => spans = suspicious_lines(text),
    }
    spans.extend(login::spans(text));
    hide(text, &spans)
}

/// The finding without the logins of addresses that its texts may repeat.
pub(crate) fn masked_finding(finding: &mut Finding) {
    let texts = [&mut finding.subject, &mut finding.message, &mut finding.fix];
    for text in texts.into_iter().chain(&mut finding.evidence) {
        *text = hide(text, &login::spans(text));
    }
}

fn collect(node: &Node, spans: &mut Vec<Range<usize>>) {
    for item in node.items() {
        collect(item, spans);
    }
    for entry in node.entries() {
        if is_secret_key(&entry.key) {
            secret(&entry.value, spans);
        } else {
            collect(&entry.value, spans);
        }
    }
}

/// Below a secret's key everything is hidden but a well-formed reference.
fn secret(node: &Node, spans: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Scalar { .. } | Value::Removed => spans.push(node.span.start..node.span.end),
        Value::Sequence(items) => items.iter().for_each(|item| secret(item, spans)),
        Value::Mapping(entries) => {
            for entry in entries {
                if entries.len() == 1 && is_reference(&entry.key, &entry.value) {
                    continue;
                }
                if entry.key != "$secret" && !matches!(entry.key.as_str(), "env" | "file" | "exec") {
                    spans.push(entry.at.start..entry.at.end);
                }
                secret(&entry.value, spans);
            }
        }
    }
}

fn is_reference(key: &str, value: &Node) -> bool {
    match key {
        "env" => value.text().is_some_and(is_variable),
        "file" => value.text().is_some_and(|path| !path.contains('\n') && !path.starts_with("-----")),
        "exec" => !value.items().is_empty(),
        _ => false,
    }
}

/// For a text that could not be read as YAML: the rest of each line behind a secret's key, and deeper lines below it.
fn suspicious_lines(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut below: Option<usize> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if below.is_some_and(|outer| indent > outer || line.trim().is_empty()) {
            spans.push(offset..offset + line.len());
        } else {
            below = None;
            if let Some(at) = after_secret_key(line) {
                spans.push(offset + at..offset + line.len());
                below = Some(indent);
            }
        }
        offset += line.len();
    }
    spans
}

/// Offset behind the colon of the first key on this line that names a secret and has no reference.
fn after_secret_key(line: &str) -> Option<usize> {
    line.match_indices(':').find_map(|(colon, _)| {
        let before = line.get(..colon)?.trim_end().trim_end_matches(['"', '\'']);
        let word = before.rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).next()?;
        let rest = line.get(colon + 1..)?.trim_start();
        let reference =
            ["{env:", "{ env:", "{file:", "{ file:", "{exec:", "{ exec:"].iter().any(|r| rest.starts_with(r));
        (is_secret_key(word) && !reference).then_some(colon + 1)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::parse::parse;

    #[test]
    fn literals_are_hidden_and_references_are_not() {
        let text = "a: {password: hünter2, key: {env: 'my secret'}}\ntoken: {env: TOKEN}\npasswrod: abc\nsecret: {raw: x1}\nkeys: [k]\n";
        let hidden = masked(text, parse(text).tree.as_ref());
        assert_eq!(
            hidden,
            "a: {password: *·*****, key: {env: *** *******}}\ntoken: {env: TOKEN}\npasswrod: ***\nsecret: {***: **}\nkeys: [k]\n"
        );
        assert_eq!(hidden.len(), text.len());
    }

    #[test]
    fn a_file_that_is_not_yaml_is_hidden_line_by_line() {
        let text =
            "a: [\n  password: hunter2\n  token: |\n    abc\n  user: {name: ibm, \"password\": x y}\n  key: {env: K}\n";
        let hidden = masked(text, None);
        for secret in ["hunter2", "abc", "x y"] {
            assert!(!hidden.contains(secret), "{hidden}");
        }
        assert!(hidden.contains("key: {env: K}"));
        assert!(hidden.contains("name: ibm"));
    }
}
