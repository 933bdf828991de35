//! House rules that no other tool checks: length of files, names that say nothing, where dependencies come from.
//! The length of functions is clippy's (`clippy.toml`).

use crate::commands::{Failure, root};
use crate::house_sources::is_test;
use crate::tally::Tally;
use crate::{house_circles, house_docs, house_rules, house_verbs};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Lines a source file may have, without its tests.
const LINES: usize = 500;

/// Words that no name of ours contains, and beginnings that no function has.
const WORDS: [&str; 3] = ["manager", "helper", "util"];
/// Names of things outside that have such a word in them.
const NAMES_OF_OTHERS: [&str; 2] = ["package_manager", "fabric_manager"];
const BEGINNINGS: [&str; 2] = ["do_", "process_"];

/// Folders that are not ours to judge.
const FOREIGN: [&str; 5] = ["target", ".git", "corpus", "artifacts", "node_modules"];

/// The only place dependencies come from, as the lock file writes it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks the repository.
pub(crate) fn check() -> Result<Tally, Failure> {
    let (mut wrong, mut files, mut sources, mut pages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    collect(&root(), &mut files)?;
    for file in &files {
        let name = file.strip_prefix(root()).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(file).map_err(|error| format!("reading {name}: {error}"))?;
        wrong.extend(judged(&name, &text));
        if name.ends_with(".md") { &mut pages } else { &mut sources }.push((name, text));
    }
    wrong.extend(house_rules::codes(&sources));
    wrong.extend(house_circles::judged(&sources));
    let names: BTreeSet<String> = sources.into_iter().map(|(name, _)| name).collect();
    wrong.extend(house_docs::missing(&pages, &names, |place| root().join(place).exists()));
    for line in &wrong {
        eprintln!("house: {line}");
    }
    println!("house: {} files", files.len());
    Ok(Tally::check(wrong.is_empty() && !files.is_empty()))
}

/// Rust sources, lock files, the catalog's components and the documents below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let told = |error: std::io::Error| format!("listing {}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type().map_err(told)?.is_dir() {
            if !FOREIGN.iter().any(|foreign| name == *foreign) {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            || name == "Cargo.lock"
            || path.parent().is_some_and(|folder| folder.ends_with("catalog/components"))
            || (path.extension().is_some_and(|extension| extension == "md") && is_document(&path))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Pages that speak of sources as they are now: `docs/*.md` and those at the root. Decisions speak of their own time.
fn is_document(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder == root() || folder == root().join("docs"))
        && path.file_name().is_some_and(|name| name != "CHANGELOG.md")
}

fn judged(name: &str, text: &str) -> Vec<String> {
    if name.ends_with("Cargo.lock") {
        return sources(name, text);
    }
    if !name.ends_with(".rs") {
        return Vec::new();
    }
    let mut wrong: Vec<String> = text
        .lines()
        .enumerate()
        .filter_map(|(n, line)| bad_name(line).map(|bad| format!("{name}:{}: the name `{bad}` says nothing", n + 1)))
        .collect();
    wrong.extend(house_rules::judged(name, text));
    wrong.extend(house_verbs::judged(name, text));
    let lines = own_lines(text);
    if lines > LINES && !is_test(name) {
        wrong.push(format!("{name}: {lines} lines without its tests, {LINES} are allowed"));
    }
    wrong
}

/// Lines before the module of tests.
fn own_lines(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

/// The name a line defines, if it is one that says nothing.
fn bad_name(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = code.strip_prefix("pub").map_or(code, |rest| match rest.split_once(')') {
        Some((scope, rest)) if scope.starts_with('(') => rest.trim_start(),
        _ => rest.trim_start(),
    });
    let code = ["const ", "async ", "unsafe "].iter().fold(code, |code, word| code.strip_prefix(word).unwrap_or(code));
    let (keyword, rest) = code.split_once(' ')?;
    if !["fn", "struct", "enum", "trait", "mod", "type", "macro_rules!"].contains(&keyword) {
        return None;
    }
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    let lower = NAMES_OF_OTHERS.iter().fold(name.to_lowercase(), |name, other| name.replace(other, ""));
    let empty = WORDS.iter().any(|word| lower.contains(word)) || BEGINNINGS.iter().any(|word| lower.starts_with(word));
    empty.then_some(name)
}

/// Sources in a lock file that are not the public registry.
fn sources(name: &str, text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("source = ")?.trim_matches('"').into())
        .filter(|source: &&str| *source != REGISTRY)
        .map(|source| format!("{name}: a dependency comes from {source}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing() {
        let cases = [
            ("pub(crate) struct NodeManager {", Some("NodeManager")),
            ("    pub async fn do_it(&self) {", Some("do_it")),
            ("pub const fn process_all() {", Some("process_all")),
            ("mod utils;", Some("utils")),
            ("fn no_package_manager() {", None),
            ("fn package_manager_manager() {", Some("package_manager_manager")),
            ("fn helper() {}", Some("helper")),
            ("/// Base Command Manager", None),
            ("use hyper_util::rt;", None),
            ("fn dot() {}", None),
            ("    let manager = 1;", None),
            ("pub struct Account {", None),
        ];
        for (line, want) in cases {
            assert_eq!(bad_name(line), want, "{line}");
        }
    }

    #[test]
    fn long_files_are_refused_but_not_their_tests_and_tables() {
        let long = "//! x\n".repeat(LINES + 1);
        let tested = format!("{}#[cfg(test)]\n{long}", "//! x\n".repeat(LINES));
        assert_eq!(judged("crates/a/src/b.rs", &long).len(), 1);
        assert!(judged("crates/a/src/b.rs", &tested).is_empty());
        assert!(judged("crates/a/src/b_tests.rs", &long).is_empty());
        assert!(judged("crates/a/tests/it.rs", &long).is_empty());
    }

    #[test]
    fn dependencies_come_from_one_place() {
        let lock = format!("[[package]]\nname = \"a\"\nsource = \"{REGISTRY}\"\n");
        assert!(judged("Cargo.lock", &lock).is_empty());
        let other = lock.replace("registry+https://github.com/rust-lang", "git+https://example.com");
        assert_eq!(judged("fuzz/Cargo.lock", &other).len(), 1);
    }
}
