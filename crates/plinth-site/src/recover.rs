//! All faults of a file at once: decode, report the first fault, put something sound in its place, decode again.

use crate::decode::{DecodeError, Fault, decode};
use crate::explain::explain;
use crate::limits::Shape;
use crate::path::{Path, Segment};
use crate::raw;
use crate::tree::{Counting, Entry, Node, Value};
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_model::nearest::nearest;

/// Most faults that are looked for. Each costs one pass over the file.
pub(crate) const MAX_FAULTS: usize = 200;

/// Decodes a tree, reporting every fault. The result holds made-up values where the file was wrong; the tree says where.
pub(crate) fn decode_all(tree: &mut Node, shape: &Shape, findings: &mut Vec<Finding>) -> Option<raw::Site> {
    let mut misspelled = Vec::new();
    for _ in 0..MAX_FAULTS {
        let error = match decode(tree) {
            Ok(site) => return Some(site),
            Err(error) => error,
        };
        let synthetic = tree.locate(&error.path(), Counting::File).synthetic;
        if !synthetic && !misspelled.iter().any(|known: &Misspelled| known.explains(&error)) {
            findings.push(explain(&error, tree, shape));
            misspelled.extend(Misspelled::of(&error));
        }
        if !fix(tree, &error, shape) {
            return None;
        }
    }
    findings.push(
        Finding::error(
            code::SITE_TOO_MANY_FINDINGS,
            "",
            format!("the file has more than {MAX_FAULTS} faults; the rest is not shown"),
        )
        .fix("fix these first, and check that the right file was named"),
    );
    None
}

/// A key that was reported as misspelled: that the right one is missing then needs no finding of its own.
struct Misspelled {
    mapping: Path,
    meant: String,
}

impl Misspelled {
    fn of(error: &DecodeError) -> Option<Self> {
        let Fault::UnknownKey { key, known } = error.fault() else { return None };
        let meant = nearest(key, known.iter().copied())?.to_owned();
        Some(Self { mapping: error.path().parent(), meant })
    }

    fn explains(&self, error: &DecodeError) -> bool {
        matches!(error.fault(), Fault::Missing(key) if *key == self.meant) && error.path() == self.mapping
    }
}

/// Makes the fault go away. False when nothing can be put in its place.
fn fix(tree: &mut Node, error: &DecodeError, shape: &Shape) -> bool {
    let path = error.path();
    match error.fault() {
        Fault::Missing(key) => add(tree, &path, key, shape),
        Fault::UnknownChoice { .. } if error.key => replace(tree, &path.parent(), shape),
        _ if error.key => remove(tree, &path),
        _ => replace(tree, &path, shape),
    }
}

fn remove(tree: &mut Node, path: &Path) -> bool {
    let Some(node) = tree.get_mut(&path.0) else { return false };
    node.value = Value::Removed;
    true
}

fn add(tree: &mut Node, path: &Path, key: &str, shape: &Shape) -> bool {
    let place = tree.locate(path, Counting::File).position;
    let Some(value) = shape.example(&path.key(key), place) else { return false };
    let Some(Node { value: Value::Mapping(entries), .. }) = tree.get_mut(&path.0) else { return false };
    entries.push(Entry { key: key.to_owned(), at: place, value });
    true
}

/// Puts something sound where a value is wrong. False when nothing can be put there.
pub(crate) fn replace(tree: &mut Node, path: &Path, shape: &Shape) -> bool {
    let located = tree.locate(path, Counting::File);
    let item = matches!(path.0.last(), Some(Segment::Index(_)));
    if item || located.synthetic {
        return !path.0.is_empty() && remove(tree, path);
    }
    match (shape.example(path, located.position), tree.get_mut(&path.0)) {
        (Some(example), Some(node)) if !path.0.is_empty() => {
            *node = example;
            true
        }
        (None, Some(_)) => remove(tree, path),
        _ => false,
    }
}
