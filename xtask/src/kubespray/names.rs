//! Names of variables: what a release gives defaults for, shows in its sample, or reads in tasks and templates.

use super::expression::{of_expression, of_template};
use super::files::files;
use super::pins::Pin;
use crate::commands::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const HEAD: &str = "\
# Names of variables that releases of Kubespray know: they have a default, stand in the sample inventory, or are read by a task or a
# template. Only names are carried. Made by `cargo xtask kubespray-names --source DIR` from trees whose id is pinned in
# ../kubespray.yaml; do not edit. A name without releases is known to all of them, `a-b` means from release a to release b.
";
/// Keys of a task whose value is an expression without marks.
const CONDITIONS: [&str; 7] = ["when", "that", "until", "changed_when", "failed_when", "var", "loop_control"];

/// Releases, oldest first, and which of them know a name.
pub(super) struct Names {
    releases: Vec<(String, String)>,
    known: BTreeMap<String, BTreeSet<String>>,
}

impl Names {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let mut names = Self { releases: Vec::new(), known: BTreeMap::new() };
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if let Some(release) = line.strip_prefix("release ") {
                let (tag, commit) = release.split_once(' ').ok_or_else(|| format!("names.txt: `{line}`"))?;
                names.releases.push((tag.to_owned(), commit.to_owned()));
            } else {
                let (name, spans) = line.split_once(' ').unwrap_or((line, ""));
                let known = names.tags(spans)?;
                names.known.insert(name.to_owned(), known);
            }
        }
        Ok(names)
    }

    fn tags(&self, spans: &str) -> Result<BTreeSet<String>, Failure> {
        let at = |tag: &str| {
            let found = self.releases.iter().position(|(known, _)| known == tag);
            found.ok_or_else(|| format!("names.txt: release `{tag}` is not listed"))
        };
        if spans.is_empty() {
            return Ok(self.releases.iter().map(|(tag, _)| tag.clone()).collect());
        }
        let mut tags = BTreeSet::new();
        for span in spans.split(' ') {
            let (first, last) = span.split_once('-').unwrap_or((span, span));
            tags.extend(self.releases[at(first)?..=at(last)?].iter().map(|(tag, _)| tag.clone()));
        }
        Ok(tags)
    }

    pub(super) fn set(&mut self, pin: &Pin, found: BTreeSet<String>) {
        if !self.releases.iter().any(|(tag, _)| *tag == pin.tag) {
            self.releases.push((pin.tag.clone(), pin.commit.clone()));
            self.releases.sort_by_key(|(tag, _)| numbers(tag));
        }
        for tags in self.known.values_mut() {
            tags.remove(&pin.tag);
        }
        for name in found {
            self.known.entry(name).or_default().insert(pin.tag.clone());
        }
        self.known.retain(|_, tags| !tags.is_empty());
    }

    pub(super) fn text(&self) -> String {
        let releases = self.releases.iter().map(|(tag, commit)| format!("release {tag} {commit}\n"));
        let names = self.known.iter().map(|(name, tags)| format!("{name}{}\n", self.spans(tags)));
        [HEAD.to_owned()].into_iter().chain(releases).chain(names).collect()
    }

    /// ` v2.24.3-v2.27.1 v2.30.0`; empty for all releases.
    fn spans(&self, tags: &BTreeSet<String>) -> String {
        if tags.len() == self.releases.len() {
            return String::new();
        }
        let has: Vec<bool> = self.releases.iter().map(|(tag, _)| tags.contains(tag)).collect();
        let starts = (0..has.len()).filter(|&at| has[at] && (at == 0 || !has[at - 1]));
        let span = |start: usize| {
            let end = has[start..].iter().position(|has| !has).map_or(has.len(), |len| start + len) - 1;
            let (first, last) = (&self.releases[start].0, &self.releases[end].0);
            if start == end { format!(" {first}") } else { format!(" {first}-{last}") }
        };
        starts.map(span).collect()
    }
}

/// `v2.27.1` as numbers, for their order.
pub(super) fn numbers(tag: &str) -> Vec<u64> {
    tag.trim_start_matches('v').split('.').filter_map(|part| part.parse().ok()).collect()
}

/// All names of one tree.
pub(super) fn read(source: &Path) -> Result<BTreeSet<String>, Failure> {
    let (mut found, mut made) = (BTreeSet::new(), BTreeSet::new());
    for folder in ["roles", "playbooks"] {
        for file in files(&source.join(folder))? {
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let place = file.strip_prefix(source).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let is_yaml = place.ends_with(".yml") || place.ends_with(".yaml");
            if is_yaml && (place.contains("/defaults/") || place.contains("/vars/")) {
                found.extend(text.lines().filter_map(key));
            }
            if is_yaml && (place.contains("/tasks/") || place.contains("/handlers/") || place.starts_with("playbooks/"))
            {
                conditions(&text, &mut found);
                made.extend(text.lines().filter_map(registered));
            }
            if is_yaml || place.ends_with(".j2") {
                of_template(&text, &mut found);
            }
        }
    }
    found.retain(|name| {
        !made.contains(name) && name.bytes().next().is_some_and(|b| b == b'_' || b.is_ascii_lowercase())
    });
    for file in files(&source.join("inventory/sample/group_vars"))? {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
        found.extend(text.lines().filter_map(|line| key(line.strip_prefix('#').map_or(line, str::trim_start))));
    }
    Ok(found)
}

/// The key that a line at the left edge gives a value to.
fn key(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(':')?;
    let first = name.bytes().next()?;
    let is_name = (first.is_ascii_lowercase() || first == b'_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (is_name && (rest.is_empty() || rest.starts_with(' '))).then(|| name.to_owned())
}

/// What a task keeps the result of another under.
fn registered(line: &str) -> Option<String> {
    let line = line.trim_start().trim_start_matches("- ");
    let name = line.strip_prefix("register:").or_else(|| line.strip_prefix("loop_var:"))?;
    Some(name.trim().trim_matches(['"', '\'']).to_owned())
}

/// Conditions stand without marks: on the line of their key, or as the list below it.
fn conditions(text: &str, found: &mut BTreeSet<String>) {
    let mut below: Option<usize> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        let trimmed = line.trim_start().trim_start_matches("- ");
        if let Some((word, rest)) = trimmed.split_once(':')
            && CONDITIONS.contains(&word)
        {
            of_expression(rest.trim().trim_matches('"'), found);
            below = Some(indent);
            continue;
        }
        let listed = |at: usize| indent > at || (indent == at && line.trim_start().starts_with("- "));
        match below {
            Some(at) if listed(at) && !trimmed.starts_with('#') => of_expression(trimmed.trim_matches('"'), found),
            _ => below = None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_by_spans_of_releases() {
        let text = format!(
            "{HEAD}release v2.9.0 a\nrelease v2.10.0 b\nrelease v2.11.0 c\nall\nnew v2.11.0\nold v2.9.0-v2.10.0\n"
        );
        let names = Names::parse(&text).unwrap();
        assert_eq!(names.text(), text);
        assert!(Names::parse("release v1 a\nx v2\n").is_err());
    }

    #[test]
    fn conditions_are_read_with_their_lists() {
        let mut found = BTreeSet::new();
        conditions(
            "- name: x\n  when:\n    - a is defined\n    - b\n  shell: c d\n- debug:\n  when: e | bool\n  foo: g\n",
            &mut found,
        );
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a", "b", "e"]);
    }

    #[test]
    fn keys_and_results() {
        assert_eq!(key("kube_version: v1"), Some("kube_version".to_owned()));
        assert_eq!((key("  nested: 1"), key("Text: x"), key("http://x")), (None, None, None));
        assert_eq!(registered("  register: result"), Some("result".to_owned()));
    }
}
