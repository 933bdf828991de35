//! Names of variables in Jinja expressions. Not a parser of Jinja: it is enough to see which words are read as variables.

use std::collections::BTreeSet;

/// Words of Jinja and of Python's values.
const WORDS: &[&str] = &[
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "endfor",
    "in",
    "not",
    "and",
    "or",
    "is",
    "set",
    "endset",
    "block",
    "endblock",
    "include",
    "import",
    "from",
    "as",
    "with",
    "without",
    "context",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "raw",
    "endraw",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
];
/// Variables and functions that Ansible and Jinja bring along.
const OWN: &[&str] = &[
    "item",
    "omit",
    "hostvars",
    "groups",
    "group_names",
    "inventory_hostname",
    "inventory_dir",
    "inventory_file",
    "playbook_dir",
    "role_path",
    "play_hosts",
    "environment",
    "loop",
    "lookup",
    "query",
    "range",
    "dict",
    "namespace",
    "undef",
    "now",
    "q",
    "varargs",
];

/// Adds the variables that all expressions and statements of a template read.
pub(super) fn of_template(text: &str, found: &mut BTreeSet<String>) {
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        let mut rest = text;
        while let Some((_, tail)) = rest.split_once(open) {
            let (inside, tail) = tail.split_once(close).unwrap_or((tail, ""));
            of_expression(inside, found);
            rest = tail;
        }
    }
}

/// Adds the variables that one expression reads.
pub(super) fn of_expression(text: &str, found: &mut BTreeSet<String>) {
    let text = without_strings(text);
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut before = Before::Nothing;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_alphabetic() || byte == b'_' {
            let end = word_end(bytes, at);
            let word = &text[at..end];
            if before == Before::Nothing && is_variable(word, &bytes[end..]) {
                found.insert(word.to_owned());
            }
            before = before.after(word);
            at = end;
        } else {
            before = match byte {
                b'.' | b'|' => Before::Member,
                b if b.is_ascii_whitespace() => before,
                _ => Before::Nothing,
            };
            at += if byte.is_ascii_digit() { word_end(bytes, at) - at } else { 1 };
        }
    }
}

/// What the next word is because of what stands before it.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Anything: it may be a variable.
    Nothing,
    /// A dot or a bar: an attribute or a filter.
    Member,
    /// `is` or `is not`: a test.
    Test,
}

impl Before {
    fn after(self, word: &str) -> Self {
        match (self, word) {
            (Before::Nothing, "is") | (Before::Test, "not") => Before::Test,
            _ => Before::Nothing,
        }
    }
}

/// Not a word of the language, and no name of an argument (`name=`).
fn is_variable(word: &str, after: &[u8]) -> bool {
    let next = after.iter().position(|b| !b.is_ascii_whitespace()).map(|at| &after[at..]).unwrap_or_default();
    let argument = next.first() == Some(&b'=') && next.get(1) != Some(&b'=');
    !argument && !WORDS.contains(&word) && !OWN.contains(&word) && !word.starts_with("ansible_")
}

fn word_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').map_or(bytes.len(), |len| start + len)
}

/// The expression with its strings empty.
fn without_strings(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for c in text.chars().filter(char::is_ascii) {
        match quote {
            None => {
                kept.push(c);
                quote = matches!(c, '\'' | '"').then_some(c);
            }
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => {
                kept.push(c);
                quote = None;
            }
            Some(_) => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Vec<String> {
        let mut found = BTreeSet::new();
        of_expression(text, &mut found);
        found.into_iter().collect()
    }

    #[test]
    fn only_what_is_read_as_a_variable_counts() {
        assert_eq!(expression("a.b.c | default(d, true) | bool and not e is not defined"), ["a", "d", "e"]);
        assert_eq!(expression("lookup('file', path) + hostvars[host]['ip'] == \"it's x\""), ["host", "path"]);
        assert_eq!(expression("x | map(attribute='name', default=y) | list"), ["x", "y"]);
        assert_eq!(expression("a == b"), ["a", "b"]);
        assert_eq!(expression("v1_2 >= 10e3 and ansible_facts.x"), ["v1_2"]);
    }

    #[test]
    fn templates_are_read_between_their_marks() {
        let mut found = BTreeSet::new();
        of_template("plain {{ a | int }} {% if b is defined %}text {{ c }", &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
