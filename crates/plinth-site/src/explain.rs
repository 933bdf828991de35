//! From a fault to a finding: the sentence, the fix, the place.

use crate::check::bad_name;
use crate::decode::{DecodeError, Fault};
use crate::limits::Shape;
use crate::mask;
use crate::path::{Path, Segment};
use crate::raw::{rules, slips};
use crate::tree::{Counting, Node};
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::nearest::nearest;

/// The finding of a fault.
pub(crate) fn explain(error: &DecodeError, tree: &Node, shape: &Shape) -> Finding {
    let path = error.path();
    let fault = error.fault();
    let mistyped = mistyped(fault, &path, shape);
    let misread = misread_name(&path, tree).filter(|_| mistyped.is_some());
    let mut finding = misread.unwrap_or_else(|| found(fault, &path, shape));
    if let (Some((expected, found, keys)), Some(text)) = (&mistyped, text_at(&path, tree)) {
        let list = expected == "a list" && (*found == "nothing" || text.trim().is_empty());
        let fix = if list { Some(no_list(&path, shape)) } else { meant(&path, expected, keys, text) };
        finding = fix.into_iter().fold(finding, Finding::fix);
    }
    let by_key = error.key || matches!(fault, Fault::Missing(_));
    let pointed = match (by_key, key_place(tree, &path)) {
        (true, Some(place)) => place,
        _ => tree.locate(&path, Counting::File).position,
    };
    finding.at(pointed)
}

/// Of a value of another kind: which kind is wanted there, which one was found, and the keys of a wanted mapping.
fn mistyped<'a>(fault: &'a Fault, path: &Path, shape: &Shape) -> Option<(String, &'static str, &'a [&'a str])> {
    match fault {
        Fault::WrongType { expected, found, keys, .. } => Some((expected.clone(), found, keys)),
        Fault::NoNumber { found, wanted } => Some((shape.within(path, *wanted).to_string(), found, &[])),
        _ => None,
    }
}

/// What to write where nothing stands for a list. What runs a program is a list with a word at least, and is told so elsewhere.
fn no_list(path: &Path, shape: &Shape) -> String {
    let (may_be_empty, may_be_absent) = shape.list(path);
    let write = if may_be_empty { "write `[]` for none" } else { "name at least one" };
    if may_be_absent { format!("{write}, or leave the key out") } else { write.to_owned() }
}

/// What was meant by a text of another kind than is wanted; nothing of a text that may be a secret is repeated.
fn meant(path: &Path, expected: &str, keys: &[&str], text: &str) -> Option<String> {
    let is_secret = path.0.iter().any(|part| matches!(part, Segment::Key(key) if mask::is_secret_key(key)));
    if path.last_key() == Some("exec") {
        return (expected == "a list").then(|| "write a list, a word each: `[PROGRAM, ARGUMENT]`".to_owned());
    }
    if is_secret {
        return None;
    }
    let truth = match text.to_lowercase().as_str() {
        "yes" | "y" | "on" | "true" => Some("true"),
        "no" | "n" | "off" | "false" => Some("false"),
        _ => None,
    };
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    match (expected, truth) {
        ("a list", _) => {
            let items: Vec<String> = slips::items(text).into_iter().map(rules::quoted).collect();
            Some(format!("write a list: `[{}]`", items.join(", ")))
        }
        ("`true` or `false`", Some(truth)) => Some(format!("write `{truth}`")),
        ("a mapping", Some(truth)) if keys.contains(&"enabled") => Some(format!("write `{{enabled: {truth}}}`")),
        (number, _) if number.starts_with("a whole number") && digits.parse::<u64>().is_ok() => {
            let without = if digits == text { "quotes" } else { "signs in between" };
            Some(format!("write `{}`, without {without}", rules::short(&digits)))
        }
        _ => None,
    }
}

/// A name of a node that YAML takes for a number or the like. Quotes would only hide it: it is misread again further below.
fn misread_name(path: &Path, tree: &Node) -> Option<Finding> {
    let text = path.to_string();
    let is_name = text.starts_with("inventory.static[") && text.ends_with("].name");
    let is_selector = text.starts_with("nodes.") && text.ends_with(']');
    bad_name(&text, &text_at(path, tree)?.to_lowercase()).filter(|_| is_name || is_selector)
}

/// The text at a place of the file.
fn text_at<'a>(path: &Path, tree: &'a Node) -> Option<&'a str> {
    let node = path.0.iter().try_fold(tree, |node, segment| match segment {
        Segment::Key(key) => node.get(key),
        Segment::Index(index) => node.items().get(*index),
    })?;
    node.text()
}

/// The finding. Limits of numbers are those of the place: types know only those of their machine word.
fn found(fault: &Fault, path: &Path, shape: &Shape) -> Finding {
    match fault {
        Fault::UnknownKey { key, known } => unknown_key(path, key, known, shape),
        Fault::Missing(key) => missing(path, key),
        Fault::WrongType { expected, found, quote, keys } => wrong_type(path, expected, found, quote.as_deref(), keys),
        Fault::NoNumber { found, wanted } => {
            wrong_type(path, &shape.within(path, *wanted).to_string(), found, None, &[])
        }
        Fault::OutOfRange { number, wanted } => Finding::error(
            code::SITE_OUT_OF_RANGE,
            path.to_string(),
            format!("`{path}` is {number}, which is out of range"),
        )
        .fix(format!("use {}", shape.within(path, *wanted))),
        Fault::UnknownChoice { choice, known } => unknown_choice(path, choice, known),
        Fault::NotOne { known } => {
            let message = format!("`{path}` must have exactly one of the keys {}", list(known));
            Finding::error(code::SITE_NOT_ONE, path.to_string(), message).fix("keep one of them, and remove the others")
        }
        Fault::Refused { code, message, fix } => {
            Finding::error(*code, path.to_string(), message.clone()).fix(fix.clone())
        }
    }
}

/// Where the key of an entry stands.
fn key_place(tree: &Node, path: &Path) -> Option<plinth_model::Position> {
    let parent = path.parent();
    let mut node = tree;
    for segment in &parent.0 {
        node = match segment {
            Segment::Key(key) => node.get(key)?,
            Segment::Index(index) => node.items().get(*index)?,
        };
    }
    let key = path.last_key()?;
    node.entries().iter().find(|entry| entry.key == key && !entry.value.is_removed()).map(|entry| entry.at)
}

fn within(path: &Path) -> String {
    if path.0.is_empty() { "the site file".to_owned() } else { format!("`{path}`") }
}

fn unknown_key(path: &Path, key: &str, known: &[&str], shape: &Shape) -> Finding {
    let shown = rules::short(key);
    let message = format!("{} has no key `{shown}`", within(&path.parent()));
    let fix = match (nearest(key, known.iter().copied()), shape.homes(key).first()) {
        (Some(near), _) => format!("write `{near}`"),
        (None, Some(home)) => format!("put `{shown}` under `{home}`"),
        (None, None) => format!("remove it; keys known here: {}", list(known)),
    };
    Finding::error(code::SITE_UNKNOWN_KEY, path.to_string(), message).fix(fix)
}

/// A key that must be there.
pub(crate) fn missing(path: &Path, key: &str) -> Finding {
    let subject = path.key(key).to_string();
    Finding::error(code::SITE_MISSING_KEY, subject, format!("{} lacks `{key}`", within(path)))
        .fix(format!("add `{key}:`"))
}

fn wrong_type(path: &Path, expected: &str, found: &str, quote: Option<&str>, keys: &[&str]) -> Finding {
    if quote.is_some() && path.to_string() == "kubernetes.version" {
        return number_for_release(path);
    }
    let message = format!("{} must be {expected}, but is {found}", within(path));
    let secret = path.last_key().is_some_and(mask::is_secret_key);
    let fix = match quote {
        Some(text) if !secret => format!("put it in quotes: `\"{}\"`", rules::short(text)),
        Some(_) => "put it in quotes".to_owned(),
        None if found == "nothing" => format!("write {expected}, or remove the key where it may be absent"),
        None if !keys.is_empty() => format!("write a mapping; keys known here: {}", list(keys)),
        None if found == "a list" && expected != "a mapping" => "write one value, not a list".to_owned(),
        None => format!("write {expected}"),
    };
    Finding::error(code::SITE_WRONG_TYPE, path.to_string(), message).fix(fix)
}

/// Quotes alone would not help: what YAML reads as a number never has the three numbers that are needed.
fn number_for_release(path: &Path) -> Finding {
    let message = format!("{} must be a version with all three numbers, but is a number", within(path));
    Finding::error(code::SITE_WRONG_TYPE, path.to_string(), message).fix("write all three numbers, like `v1.31.9`")
}

fn unknown_choice(path: &Path, choice: &str, known: &[&str]) -> Finding {
    let message = format!("`{}` is none of the choices here", rules::short(choice));
    let fix = match nearest(choice, known.iter().copied()) {
        Some(near) => format!("write `{near}`; choices: {}", list(known)),
        None => format!("choose one of {}", list(known)),
    };
    Finding::error(code::SITE_UNKNOWN_CHOICE, path.to_string(), message).fix(fix)
}

fn list(known: &[&str]) -> String {
    known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
