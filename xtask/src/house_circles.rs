//! House rule about files of one crate: none use each other in a circle. What two files both need belongs into a file below them, so
//! that each can be read, and changed, with nothing in mind but what stands below it.
//!
//! An arrow is a path that one file says of another: `use` and paths in the code, from `crate::`, `super::`, `self::` or a module of its
//! own. A name that a file only hands on (`pub use`) leads to the file that defines it. Not seen: methods, which are called without a
//! path, and names behind a glob, which count for the file that the glob names.

use crate::house_paths::{Path, Source, read};
use crate::house_sources::is_test;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// Circles that stand: the files, without their crate's `src/`, and why their mending would make them worse.
const STAND: &[(&str, &[&str], &str)] = &[
    (
        "crates/plinth-site",
        &["raw/rules.rs", "raw/slips.rs", "raw/text.rs"],
        "a text, its rule and what was probably meant by it are one thought, in three files for their length",
    ),
    (
        "crates/plinth-kube",
        &["api.rs", "listing.rs"],
        "a list is made over a call, and a call is over the API client, which holds the lists that calls share",
    ),
];

/// How often a name is handed on at most.
const HANDED: usize = 16;

/// What a file takes from another.
type Arrows = BTreeMap<(usize, usize), BTreeSet<String>>;

/// Circles among these sources that do not stand in the list, and entries of the list that are mended.
pub(crate) fn judged(sources: &[(String, String)]) -> Vec<String> {
    judged_but(sources, STAND)
}

fn judged_but(sources: &[(String, String)], stand: &[(&str, &[&str], &str)]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Vec<Source<'_>>> = BTreeMap::new();
    for (name, text) in sources.iter().filter(|(name, _)| name.ends_with(".rs") && !is_test(name)) {
        if let Some((krate, file)) = name.split_once("/src/") {
            crates.entry(krate).or_default().push(read(file, text));
        }
    }
    let mut wrong = Vec::new();
    for (krate, sources) in &crates {
        let arrows = arrows(sources);
        let circles = circles(sources, &arrows);
        let files = |circle: &[usize]| circle.iter().map(|&at| sources[at].file).collect::<BTreeSet<_>>();
        let listed = |circle: &[usize]| {
            let files = files(circle);
            stand.iter().any(|(of, those, _)| of == krate && files.iter().all(|file| those.contains(file)))
        };
        let new = circles.iter().filter(|circle| !listed(circle));
        wrong.extend(new.map(|circle| told(krate, sources, &arrows, circle)));
        let mended = stand.iter().filter(|(of, those, _)| {
            of == krate && !circles.iter().any(|circle| files(circle).iter().any(|file| those.contains(file)))
        });
        wrong.extend(mended.map(|(_, those, _)| {
            format!("{krate}: no circle is left among {}: take them off the list of house_circles.rs", those.join(", "))
        }));
    }
    wrong
}

/// Who uses whom among the files of one crate, and what of it.
fn arrows(sources: &[Source<'_>]) -> Arrows {
    let by_module: BTreeMap<&[String], usize> =
        sources.iter().enumerate().map(|(at, one)| (&one.module[..], at)).collect();
    let mut arrows = Arrows::new();
    for (from, source) in sources.iter().enumerate() {
        for path in &source.paths {
            if let Some((to, name)) = defined(path, sources, &by_module, 0).filter(|(to, _)| *to != from) {
                arrows.entry((from, to)).or_default().insert(name);
            }
        }
    }
    arrows
}

/// The file that defines what a path names. None for a module itself: to name one uses nothing of it yet.
fn defined(
    path: &Path,
    sources: &[Source<'_>],
    by_module: &BTreeMap<&[String], usize>,
    handed: usize,
) -> Option<(usize, String)> {
    let length = (0..=path.len()).rev().find(|&length| by_module.contains_key(&path[..length]))?;
    let (at, name) = (by_module[&path[..length]], path.get(length)?);
    let on = sources[at].brought.get(name).filter(|brought| *brought != path && handed < HANDED);
    let whole = on.map(|brought| brought.iter().chain(&path[length + 1..]).cloned().collect());
    let elsewhere = whole.and_then(|whole| defined(&whole, sources, by_module, handed + 1));
    Some(elsewhere.unwrap_or_else(|| (at, name.clone())))
}

/// Circles, each in the order of its files. A folder's head drives the files below it, and they use what it defines: of the arrows between
/// the two either way counts, and never both at once.
fn circles(sources: &[Source<'_>], arrows: &Arrows) -> BTreeSet<Vec<usize>> {
    let is_above = |head: usize, file: usize| {
        sources[file].module.len() > sources[head].module.len()
            && sources[file].module.starts_with(&sources[head].module)
    };
    let up = among(sources.len(), arrows.keys().filter(|(from, to)| !is_above(*from, *to)));
    let down = among(sources.len(), arrows.keys().filter(|(from, to)| !is_above(*to, *from)));
    up.into_iter().chain(down).collect()
}

fn among<'a>(files: usize, arrows: impl Iterator<Item = &'a (usize, usize)>) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = (0..files).map(|_| graph.add_node(())).collect();
    for (from, to) in arrows {
        graph.add_edge(nodes[*from], nodes[*to], ());
    }
    let indexes = |circle: Vec<NodeIndex>| {
        let mut files: Vec<usize> = circle.into_iter().map(NodeIndex::index).collect();
        files.sort_unstable();
        files
    };
    tarjan_scc(&graph).into_iter().filter(|circle| circle.len() > 1).map(indexes).collect()
}

fn told(krate: &str, sources: &[Source<'_>], arrows: &Arrows, circle: &[usize]) -> String {
    let inside = arrows.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
    let arrow = |((from, to), names): (&(usize, usize), &BTreeSet<String>)| {
        let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("{} takes {names} from {}", sources[*from].file, sources[*to].file)
    };
    let arrows: Vec<String> = inside.map(arrow).collect();
    format!(
        "{krate}: files use each other in a circle: {}; what they share belongs into a file below both",
        arrows.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> =
            files.iter().map(|(name, text)| (format!("crates/a/src/{name}"), (*text).to_owned())).collect();
        judged_but(&sources, &[])
    }

    #[test]
    fn files_that_use_each_other_are_refused_with_what_they_take() {
        let found = wrong(&[
            ("lib.rs", "mod x;\nmod y;\n"),
            ("x.rs", "use crate::y::{self, Y};\nfn f() -> Y {\n    y::g()\n}\n"),
            ("y.rs", "pub struct Y;\nfn g() {\n    crate::x::f();\n}\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("x.rs takes Y, g from y.rs; y.rs takes f from x.rs"), "{found:?}");
    }

    #[test]
    fn one_way_is_no_circle_and_tests_do_not_count() {
        let tests = "#[cfg(test)]\nmod tests {\n    use crate::x::X;\n}\n";
        assert_eq!(wrong(&[("lib.rs", ""), ("x.rs", "use crate::y::Y;\n"), ("y.rs", tests)]), [""; 0]);
        let comment = "// use crate::x::X;\nfn f() {\n    g(\"crate::x::X\");\n}\n";
        assert_eq!(wrong(&[("lib.rs", ""), ("x.rs", "use crate::y::Y;\n"), ("y.rs", comment)]), [""; 0]);
        let of_test = ("x/tests.rs", "use crate::y::Y;\n");
        assert_eq!(
            wrong(&[("lib.rs", ""), ("x.rs", "pub struct X;\n"), of_test, ("y.rs", "use crate::x::X;\n")]),
            [""; 0]
        );
    }

    #[test]
    fn a_head_that_hands_names_on_is_not_who_defines_them() {
        let (one, other) = (("x/one.rs", "use super::Two;\n"), ("x/two.rs", "pub struct Two;\n"));
        assert_eq!(
            wrong(&[("lib.rs", ""), ("x/mod.rs", "mod one;\nmod two;\npub use two::Two;\n"), one, other]),
            [""; 0]
        );
        let both = ("x/two.rs", "use super::one::f;\npub struct Two;\n");
        assert_eq!(
            wrong(&[("lib.rs", ""), ("x/mod.rs", "mod one;\nmod two;\npub use two::Two;\n"), one, both]).len(),
            1
        );
    }

    #[test]
    fn a_head_drives_its_files_and_they_use_it_but_not_over_others() {
        let head = ("x/mod.rs", "mod one;\npub struct Two;\nfn f() {\n    one::g();\n}\n");
        let below = ("x/one.rs", "use super::Two;\n");
        assert_eq!(wrong(&[("lib.rs", ""), head, below, ("y.rs", "")]), [""; 0]);
        let over = ("x/one.rs", "use crate::y::Y;\n");
        assert_eq!(wrong(&[("lib.rs", ""), head, over, ("y.rs", "use crate::x::Two;\n")]).len(), 1);
        let driven = ("x/mod.rs", "mod one;\nuse crate::y::Y;\npub struct Two;\n");
        assert_eq!(wrong(&[("lib.rs", ""), driven, below, ("y.rs", "use crate::x::one::g;\n")]).len(), 1);
    }

    #[test]
    fn a_circle_over_three_files_is_seen() {
        let files = [("x.rs", "crate::y::f"), ("y.rs", "super::z::f"), ("z.rs", "crate::x::f")];
        let texts: Vec<_> = files.map(|(name, path)| (name, format!("fn f() {{\n    {path}();\n}}\n"))).into();
        let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(wrong(&files).len(), 1);
        assert_eq!(wrong(&files[..2]), [""; 0]);
    }

    #[test]
    fn what_stands_on_the_list_is_let_be_until_it_is_mended() {
        let source = |name: &str, text: &str| (format!("crates/a/src/{name}"), text.to_owned());
        let mut files = vec![source("x.rs", "use crate::y::Y;\n"), source("y.rs", "use crate::x::X;\n")];
        let list: &[(&str, &[&str], &str)] = &[("crates/a", &["x.rs", "y.rs"], "a reason")];
        assert_eq!(judged_but(&files, list), [""; 0]);
        files[1] = source("y.rs", "pub struct Y;\n");
        assert!(judged_but(&files, list)[0].contains("take them off the list"));
    }
}
