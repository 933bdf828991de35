//! The paths that a source names, as far as they can lead to a file of its own crate.

use crate::house_sources::product;
use std::collections::BTreeMap;

/// Modules from the root of the crate, and an item in the last: `["steps", "node", "Account"]`.
pub(crate) type Path = Vec<String>;

/// A source with what it names.
pub(crate) struct Source<'a> {
    /// Below `src/`.
    pub(crate) file: &'a str,
    pub(crate) module: Path,
    /// Paths within the crate, each once or more.
    pub(crate) paths: Vec<Path>,
    /// Names that a `use` brings in, and maybe hands on.
    pub(crate) brought: BTreeMap<String, Path>,
}

/// Reads a source below `src/`, without comments, texts and tests.
pub(crate) fn read<'a>(file: &'a str, text: &str) -> Source<'a> {
    let module = module(file);
    let children = children(text);
    let (uses, code) = parted(text);
    let mut source = Source { file, module, paths: Vec::new(), brought: BTreeMap::new() };
    for tree in &uses {
        for (path, name) in leaves(tree) {
            if let Some(path) = within(&source.module, &children, &path) {
                source.brought.insert(name, path.clone());
                source.paths.push(path);
            }
        }
    }
    for path in code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).filter(|word| word.contains("::"))
    {
        let path: Path = path.trim_end_matches(':').split("::").map(str::to_owned).collect();
        let known = source.brought.get(&path[0]).map(|known| known.iter().chain(&path[1..]).cloned().collect());
        source.paths.extend(known.or_else(|| within(&source.module, &children, &path)));
    }
    source
}

/// `steps/node/mod.rs` is `steps::node`.
fn module(file: &str) -> Path {
    let mut parts: Path = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Modules that the source declares.
fn children(text: &str) -> Vec<&str> {
    let lines = product(text).into_iter();
    lines.filter_map(|(_, line)| without_scope(line).strip_prefix("mod ")?.strip_suffix(';')).collect()
}

/// `pub(crate) use x;` as `use x;`.
fn without_scope(line: &str) -> &str {
    let code = line.trim_start();
    match code.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or(code, |(_, rest)| rest.trim_start()),
        Some(rest) if rest.starts_with(' ') => rest.trim_start(),
        _ => code,
    }
}

/// The trees of its `use`, and all other code without texts.
fn parted(text: &str) -> (Vec<String>, String) {
    let (mut uses, mut code, mut open) = (Vec::new(), String::new(), false);
    for (_, line) in product(text) {
        let used = without_scope(line).strip_prefix("use ");
        match (used, uses.last_mut()) {
            (Some(tree), _) if !open => uses.push(tree.to_owned()),
            (_, Some(tree)) if open => tree.push_str(line.trim()),
            _ => {
                // Every other piece between quotes is a text; a sign in single quotes that is one is rare enough.
                line.split('"').step_by(2).for_each(|piece| code.push_str(piece));
                code.push('\n');
                continue;
            }
        }
        open = !line.trim_end().ends_with(';');
    }
    (uses, code)
}

/// `a::{b, c::{self, d as e}};` as its paths, each with the name that it brings.
fn leaves(tree: &str) -> Vec<(Path, String)> {
    let tree = tree.trim().trim_end_matches(';');
    let Some((before, rest)) = tree.split_once('{') else {
        let (path, name) = tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name.trim())));
        let path: Path = path.trim().split("::").map(str::to_owned).collect();
        let name = name.map_or_else(|| path.last().cloned().unwrap_or_default(), str::to_owned);
        return vec![(path, name)];
    };
    let first: Path = before.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let inner = branches(rest.trim_end().strip_suffix('}').unwrap_or(rest));
    let whole = |(mut path, mut name): (Path, String)| {
        if path == ["self"] {
            path.clear();
            name = first.last().cloned().unwrap_or_default();
        }
        (first.iter().cloned().chain(path).collect(), name)
    };
    inner.into_iter().flat_map(leaves).map(whole).collect()
}

/// The parts between commas that are in no braces of their own.
fn branches(inner: &str) -> Vec<&str> {
    let (mut found, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, sign) in inner.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => found.push(&inner[std::mem::replace(&mut from, at + 1)..at]),
            _ => {}
        }
    }
    found.push(&inner[from..]);
    found.retain(|branch| !branch.trim().is_empty());
    found
}

/// The path from the root of the crate; none if it leads out of it, or is not known to stay in it.
fn within(module: &Path, children: &[&str], path: &[String]) -> Option<Path> {
    let up = path.iter().take_while(|part| *part == "super").count();
    let (begin, rest): (&[String], _) = match path.first()?.as_str() {
        "crate" => (&[], &path[1..]),
        "self" => (module, &path[1..]),
        "super" => (module.get(..module.len().checked_sub(up)?)?, &path[up..]),
        first if children.contains(&first) => (module, path),
        _ => return None,
    };
    Some(begin.iter().chain(rest).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(file: &str, text: &str) -> Vec<String> {
        read(file, text).paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn paths_are_read_from_the_root_of_the_crate() {
        let cases = [
            ("use crate::a::{B, c::{self, D as E}, f};", "x.rs", vec!["a::B", "a::c", "a::c::D", "a::f"]),
            ("pub(crate) use super::a::B;", "x/y.rs", vec!["x::a::B"]),
            ("use super::super::a::B;", "x/y/mod.rs", vec!["a::B"]),
            ("use std::fs;\nuse other::A;", "x.rs", vec![]),
            (
                "mod child;\npub use child::A;\nfn f() {\n    child::g();\n}",
                "x/mod.rs",
                vec!["x::child::A", "x::child::g"],
            ),
            ("use crate::a;\nfn f() -> Vec<a::B> {\n    a::g::<u8>()\n}", "x.rs", vec!["a", "a::B", "a::g"]),
            ("use crate::{\n    a::B,\n    c,\n};", "x.rs", vec!["a::B", "c"]),
            ("    pub(super) fn f(x: &crate::a::B) {}", "x.rs", vec!["a::B"]),
            (
                "fn f() {\n    g(\"crate::a::B\");\n}\n#[cfg(test)]\nmod tests {\n    use crate::a::B;\n}",
                "x.rs",
                vec![],
            ),
        ];
        for (text, file, want) in cases {
            assert_eq!(paths(file, text), want, "{text}");
        }
    }
}
