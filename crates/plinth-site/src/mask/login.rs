//! Logins in addresses: `https://USER:PASSWORD@HOST`, with or without a scheme, wherever they stand in a text.

use super::stars::hide;
use crate::tree::{Node, Value};
use std::ops::Range;

/// Quotes that begin a value, in YAML and in our own sentences.
const QUOTES: [char; 3] = ['"', '\'', '`'];
/// Signs between values that are no part of the next one.
const BETWEEN: [char; 6] = ['{', '[', '(', ',', ':', '<'];

/// The part of one value that must not be shown. Rather too much: a password may hold any sign, so the last `@` counts.
/// A user without a password is one only for SSH, where it is no secret.
pub(crate) fn in_value(value: &str) -> Option<Range<usize>> {
    let end = value.rfind('@')?;
    let start = value.find("://").map(|at| at + 3).filter(|start| *start <= end);
    let user = value.get(start.unwrap_or_default()..end)?;
    let host = user.split(['/', '?', '#']).next().unwrap_or_default();
    let secret = match start {
        Some(start) if value.get(..start).is_some_and(|scheme| scheme.ends_with("ssh://")) => user.contains(':'),
        // With neither sign in it this is a host, and the `@` belongs to the path.
        Some(_) => host == user || host.contains([':', '@']),
        None => is_bare_login(user) && !value.get(end..).is_some_and(|rest| rest.starts_with("@sha256:")),
    };
    (secret && !user.is_empty()).then(|| start.unwrap_or_default()..end)
}

/// `USER:PASSWORD` in front of a host without a scheme.
fn is_bare_login(user: &str) -> bool {
    let parts = user.split_once(':');
    !user.contains(char::is_whitespace) && parts.is_some_and(|(name, secret)| !name.is_empty() && !secret.is_empty())
}

/// One value as it may be shown.
pub(crate) fn hidden_in_value(value: &str) -> String {
    let span = in_value(value);
    hide(value, span.as_slice())
}

/// The parts of a text that must not be shown.
pub(crate) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let mut at = 0;
        while let Some(value) = next_value(line, at) {
            let inside = line.get(value.clone()).and_then(in_value);
            found.extend(inside.map(|span| offset + value.start + span.start..offset + value.start + span.end));
            at = value.end.max(at + 1);
        }
        offset += line.len();
    }
    found
}

/// The next value of a line: what stands in quotes, or what reaches to the next white space.
fn next_value(line: &str, from: usize) -> Option<Range<usize>> {
    let rest = line.get(from..)?;
    let skipped = |c: char| c.is_whitespace() || BETWEEN.contains(&c);
    let (start, first) = rest.char_indices().find(|(_, c)| !skipped(*c))?;
    let start = from + start;
    if !QUOTES.contains(&first) {
        let end = line.get(start..)?.find(char::is_whitespace).map_or(line.len(), |end| start + end);
        return Some(start..end);
    }
    let inside = start + first.len_utf8();
    let mut escaped = false;
    for (at, c) in line.get(inside..)?.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if first == '"' => escaped = true,
            _ if c == first => return Some(inside..inside + at),
            _ => {}
        }
    }
    Some(inside..line.len())
}

/// Scalars that hold a login once they are read, but are written so that it cannot be seen: by escapes, or over several lines.
pub(super) fn unlike_written(text: &str, node: &Node, found: &mut Vec<Range<usize>>) {
    if let Value::Scalar { text: value, .. } = &node.value {
        let place = node.span.start..node.span.end;
        let unseen = text.get(place.clone()).is_none_or(|written| spans(written).is_empty());
        if in_value(value).is_some() && unseen {
            found.push(place);
        }
    }
    let entries = node.entries().iter().map(|entry| &entry.value);
    node.items().iter().chain(entries).for_each(|inner| unlike_written(text, inner, found));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_hidden_and_hosts_are_not() {
        let cases = [
            ("https://root:pw@host:8081", "https://*******@host:8081"),
            ("a: \"https://root:p w'@host\" # x@y", "a: \"https://****** **@host\" # x@y"),
            ("{\"a\":\"https://root:p/w@host\"}", "{\"a\":\"https://********@host\"}"),
            ("[http://t0ken@host, b]", "[http://*****@host, b]"),
            ("is `root:pw@host` good", "is `*******@host` good"),
            ("https://a:b@c@host", "https://*****@host"),
        ];
        for (text, wanted) in cases {
            assert_eq!(hide(text, &spans(text)), wanted);
        }
        for text in [
            "https://host:8081",
            "https://git.example.com/kubespray.git@v2.27.1",
            "ssh://git@git.example.com/kubespray",
            "git@git.example.com:kubespray",
            "{email: admin@example.com, name: a}",
            "image: host/app:v1@sha256:abc",
        ] {
            assert_eq!(hide(text, &spans(text)), text);
        }
    }
}
