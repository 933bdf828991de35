//! Variables of a shell or a template that nobody filled in.

use crate::limits::Shape;
use crate::mask;
use crate::path::{Path, Segment};
use crate::recover;
use crate::tree::{Node, Value};
use plinth_model::Finding;
use plinth_model::finding::code;

/// Places whose texts belong to other programs, which have variables of their own.
const FOREIGN: [&str; 2] = ["values", "extraVars"];

/// Reports each, and puts something sound in its place, so that the rest is judged.
pub(crate) fn report(tree: &mut Node, shape: &Shape) -> Vec<Finding> {
    let mut found = Vec::new();
    search(tree, &Path::default(), &mut found);
    for finding in &found {
        recover::replace(tree, &Path::parse(&finding.subject), shape);
    }
    found
}

fn search(node: &Node, path: &Path, found: &mut Vec<Finding>) {
    match &node.value {
        Value::Scalar { text, .. } => {
            if let Some(variable) = variable(text) {
                found.push(finding(&path.to_string(), variable).at(node.span));
            }
        }
        Value::Sequence(items) if path.last_key() != Some("exec") => {
            for (at, item) in items.iter().enumerate() {
                let mut inside = path.clone();
                inside.0.push(Segment::Index(at));
                search(item, &inside, found);
            }
        }
        Value::Mapping(entries) => {
            // What stands where a secret belongs is reported as such, and never repeated.
            let searched = |key: &str, value: &Node| {
                !(FOREIGN.contains(&key) || mask::is_secret_key(key) && value.text().is_some())
            };
            for entry in entries.iter().filter(|entry| searched(&entry.key, &entry.value)) {
                search(&entry.value, &path.key(&entry.key), found);
            }
        }
        Value::Sequence(_) | Value::Removed => {}
    }
}

/// The variable on the line of a place where the YAML ends: its braces are those of a mapping there.
pub(crate) fn on_line(text: &str, at: usize) -> Option<&str> {
    let begin = text.get(..at)?.rfind('\n').map_or(0, |line_break| line_break + 1);
    let line = text.get(begin..)?.lines().next()?;
    variable(line).filter(|_| !line.trim_start().starts_with('#'))
}

/// The finding about a variable.
pub(crate) fn finding(path: &str, variable: &str) -> Finding {
    let message = format!(
        "`{}` stands here as it is: the file is not filled in from the environment",
        crate::raw::rules::short(variable)
    );
    let fix = match named(variable) {
        Some("HOME") => "write `~/` for your home folder".to_owned(),
        name => {
            format!(
                "write the value itself; only secrets can be named instead, by `{{env: {}}}`",
                name.unwrap_or("NAME")
            )
        }
    };
    Finding::error(code::SITE_VARIABLE, path, message).fix(fix)
}

/// The name in a variable; none where there is more than a name with what it defaults to: nobody has a variable called `lookup`.
fn named(variable: &str) -> Option<&str> {
    let inner = variable.trim_matches(['$', '{', '}', '%']).trim();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (name, rest) = inner.split_at(inner.find(|c| !is_part(c)).unwrap_or(inner.len()));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_all =
        rest.is_empty() || rest.trim_start().starts_with('|') || variable.starts_with('$') && rest.starts_with(':');
    (is_name && is_all).then_some(name)
}

/// The variable in a text: `${NAME}` and `{{ name }}` anywhere, `$NAME` and `%NAME%` alone.
fn variable(text: &str) -> Option<&str> {
    let between = |open: &str, close: &str| {
        let start = text.find(open)?;
        let length = text[start..].find(close)? + close.len();
        text.get(start..start + length)
    };
    let alone = |text: &str| {
        text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    // `$HOME/.ssh/id_ed25519`: the shell would have filled it in.
    let first = text.split('/').next().unwrap_or(text);
    let folder = first.strip_prefix('$').is_some_and(alone) && first.len() < text.len();
    let braced = between("${", "}").filter(|found| found.len() > 3);
    braced
        .or_else(|| between("{{", "}}"))
        .or_else(|| folder.then_some(first))
        .or_else(|| text.strip_prefix('$').is_some_and(alone).then_some(text))
        .or_else(|| text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(alone).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::{named, variable};

    #[test]
    fn only_a_name_is_proposed() {
        let names = [
            ("${K8S_VERSION}", Some("K8S_VERSION")),
            ("${A:-b}", Some("A")),
            ("$BCM_ENDPOINT", Some("BCM_ENDPOINT")),
            ("{{ site_name }}", Some("site_name")),
            ("{{ site_name | default('a') }}", Some("site_name")),
            ("%SITE%", Some("SITE")),
            ("{{ lookup('pipe', 'id') }}", None),
            ("{{ 1+1 }}", None),
            ("{{ a.b }}", None),
            ("{{ }}", None),
        ];
        for (variable, name) in names {
            assert_eq!(named(variable), name, "{variable}");
        }
    }

    #[test]
    fn variables_are_told_from_other_texts() {
        let found = [
            ("${K8S_VERSION}", "${K8S_VERSION}"),
            ("https://${BCM}:8081", "${BCM}"),
            ("${A:-b}", "${A:-b}"),
            ("$BCM_ENDPOINT", "$BCM_ENDPOINT"),
            ("{{ site_name }}", "{{ site_name }}"),
            ("%SITE%", "%SITE%"),
            ("$HOME/.ssh/id_ed25519", "$HOME"),
        ];
        for (text, expected) in found {
            assert_eq!(variable(text), Some(expected), "{text}");
        }
        for text in ["v1.31.9", "$5", "a$b", "${}", "100%", "{a,b}", "dgx-*", "", "$"] {
            assert_eq!(variable(text), None, "{text}");
        }
    }
}
