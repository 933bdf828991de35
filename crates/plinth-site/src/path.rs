//! Paths into the site file, as findings name them: `nodes.workers[1]`, `nodes.overrides.dgx-05.labels["nvidia.com/mig"]`.

use plinth_model::values::{ValueKey, ValuePath};
use std::fmt;

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Segment {
    /// Into a mapping, by key.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// A place in a document, whether or not something is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Path(pub(crate) Vec<Segment>);

impl Path {
    /// Reads a path in its written form. Every text is some path: what cannot be read as an index is taken as a key.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (segment, tail) = first_segment(rest);
            segments.push(segment);
            rest = tail.strip_prefix('.').unwrap_or(tail);
        }
        Self(segments)
    }

    /// The path one key deeper.
    #[must_use]
    pub(crate) fn key(&self, key: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(Segment::Key(key.to_owned()));
        Self(segments)
    }

    /// The path of something inside values that stand here.
    #[must_use]
    pub(crate) fn below(&self, inner: &ValuePath) -> Self {
        let inner = inner.0.iter().map(|key| match key {
            ValueKey::Key(key) => Segment::Key(key.clone()),
            ValueKey::Index(index) => Segment::Index(*index),
        });
        Self(self.0.iter().cloned().chain(inner).collect())
    }

    /// The last key, if the path ends with one.
    #[must_use]
    pub(crate) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Everything but the last segment.
    #[must_use]
    pub(crate) fn parent(&self) -> Self {
        let mut segments = self.0.clone();
        segments.pop();
        Self(segments)
    }
}

/// Splits off the first segment. Always takes at least one character, so reading ends.
fn first_segment(text: &str) -> (Segment, &str) {
    if let Some(quoted) = text.strip_prefix("[\"")
        && let Some((key, tail)) = quoted.split_once("\"]")
    {
        return (Segment::Key(key.to_owned()), tail);
    }
    if let Some(bracketed) = text.strip_prefix('[')
        && let Some((number, tail)) = bracketed.split_once(']')
        && let Ok(index) = number.parse()
    {
        return (Segment::Index(index), tail);
    }
    let end = text.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '[')).map_or(text.len(), |(at, _)| at);
    let (key, tail) = text.split_at(end);
    (Segment::Key(key.to_owned()), tail)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if key.is_empty() || key.contains(['.', '[', ']']) => write!(f, "[\"{key}\"]")?,
                Segment::Key(key) if at == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_paths_are_read_back() {
        for text in ["", "a", "a.b[0]", "nodes.overrides.dgx-05", "x.labels[\"nvidia.com/mig\"]", "a[1][2].c"] {
            assert_eq!(Path::parse(text).to_string(), text);
        }
        assert_eq!(Path::parse("a[1]").0, [Segment::Key("a".into()), Segment::Index(1)]);
        assert_eq!(Path::parse("...").0.len(), 2);
    }
}
