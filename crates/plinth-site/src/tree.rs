//! The file as a tree in which every node knows its place.

use crate::path::{Path, Segment};
use plinth_model::Position;

/// A node of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where it stands; for collections from the first to the last child.
    pub(crate) span: Position,
    /// Line of its last character.
    pub(crate) end_line: usize,
    /// Not from the file: stands in for something missing or wrong, so that the rest can still be judged.
    pub(crate) synthetic: bool,
    /// What it is.
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Scalar {
        /// Text after unescaping.
        text: String,
        /// Written without quotes, so its kind is found by the YAML core schema.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the file.
    Mapping(Vec<Entry>),
    /// Was reported and is no longer looked at. Keeps its place, so that indexes of later items stay true.
    Removed,
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) at: Position,
    pub(crate) value: Node,
}

/// How a list index counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Items of the file.
    File,
    /// Items that were decoded, without removed ones.
    Decoded,
}

/// What a path led to.
pub(crate) struct Located {
    /// The path in terms of the file.
    pub(crate) path: Path,
    /// Where to point.
    pub(crate) position: Position,
    /// The place, or something above it, is not from the file.
    pub(crate) synthetic: bool,
    /// How many segments were there.
    pub(crate) depth: usize,
}

impl Node {
    /// Whether this byte of the file is inside of a scalar.
    pub(crate) fn has_text_at(&self, at: usize) -> bool {
        match &self.value {
            Value::Scalar { .. } => (self.span.start..self.span.end).contains(&at),
            Value::Sequence(items) => items.iter().any(|item| item.has_text_at(at)),
            Value::Mapping(entries) => entries.iter().any(|entry| entry.value.has_text_at(at)),
            Value::Removed => false,
        }
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.value == Value::Removed
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Whether everything in it is from the file and was sound.
    pub(crate) fn is_whole(&self) -> bool {
        let children = self.items().iter().chain(self.entries().iter().map(|entry| &entry.value));
        !self.synthetic && !self.is_removed() && children.into_iter().all(Node::is_whole)
    }

    /// The text, if it is a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The entry's value, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key && !entry.value.is_removed())
    }

    /// The node at a path of the file, for change.
    pub(crate) fn get_mut(&mut self, path: &[Segment]) -> Option<&mut Node> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let child = match (first, &mut self.value) {
            (Segment::Key(key), Value::Mapping(entries)) => {
                entries.iter_mut().find(|e| e.key == *key && !e.value.is_removed()).map(|e| &mut e.value)
            }
            (Segment::Index(index), Value::Sequence(items)) => items.get_mut(*index),
            _ => None,
        };
        child?.get_mut(rest)
    }

    /// Follows a path as far as it goes.
    pub(crate) fn locate(&self, path: &Path, counting: Counting) -> Located {
        let mut found =
            Located { path: Path::default(), position: self.first_line(), synthetic: self.synthetic, depth: 0 };
        let mut node = self;
        for (depth, segment) in path.0.iter().enumerate() {
            let Some((next, key, segment)) = node.child(segment, counting) else {
                found.path.0.extend(path.0.iter().skip(depth).cloned());
                return found;
            };
            found.position = next.pointed(key);
            found.synthetic |= next.synthetic;
            found.path.0.push(segment);
            found.depth += 1;
            node = next;
        }
        found
    }

    fn child(&self, segment: &Segment, counting: Counting) -> Option<(&Node, Option<Position>, Segment)> {
        match segment {
            Segment::Key(key) => self.entry(key).map(|e| (&e.value, Some(e.at), segment.clone())),
            Segment::Index(index) => {
                let wanted = |node: &Node| counting == Counting::File || !node.is_removed();
                let (at, item) = self.items().iter().enumerate().filter(|(_, node)| wanted(node)).nth(*index)?;
                Some((item, None, Segment::Index(at)))
            }
        }
    }

    /// Where to point for this node: itself if it fits a line and is not empty, else its key. A mapping is meant by its key.
    fn pointed(&self, key: Option<Position>) -> Position {
        match key {
            Some(key) if matches!(self.value, Value::Mapping(_)) => key,
            Some(key) if self.end_line != self.span.line || self.span.start == self.span.end || self.synthetic => key,
            _ => self.first_line(),
        }
    }

    /// The node's span, or only its first character when it is longer than a line.
    fn first_line(&self) -> Position {
        let end = if self.end_line == self.span.line { self.span.end } else { self.span.start + 1 };
        Position { end, ..self.span }
    }
}
