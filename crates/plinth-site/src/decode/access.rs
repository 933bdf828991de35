//! Lists, mappings and choices. Each adds its own segment to the path of an error that passes through.

use super::Decoder;
use super::fault::DecodeError;
use crate::path::Segment;
use crate::tree::{Entry, Node};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor};

/// Items of a list, without removed ones; paths count all.
pub(super) struct Items<'de>(std::iter::Enumerate<std::slice::Iter<'de, Node>>);

impl<'de> Items<'de> {
    pub(super) fn new(items: &'de [Node]) -> Self {
        Self(items.iter().enumerate())
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, node)) = self.0.find(|(_, node)| !node.is_removed()) else { return Ok(None) };
        seed.deserialize(Decoder { node }).map(Some).map_err(|error| error.inside(Segment::Index(index)))
    }
}

/// Entries of a mapping, without removed ones.
pub(super) struct Entries<'de> {
    entries: std::slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> Entries<'de> {
    pub(super) fn new(entries: &'de [Entry]) -> Self {
        Self { entries: entries.iter(), current: None }
    }
}

fn key_of(entry: &Entry) -> Segment {
    Segment::Key(entry.key.clone())
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some(entry) = self.entries.find(|entry| !entry.value.is_removed()) else { return Ok(None) };
        self.current = Some(entry);
        let key = seed.deserialize(BorrowedStrDeserializer::new(entry.key.as_str()));
        key.map(Some).map_err(|error: DecodeError| error.at_key(key_of(entry)))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let Some(entry) = self.current.take() else {
            return Err(DecodeError::custom("a value was asked for before its key"));
        };
        seed.deserialize(Decoder { node: &entry.value }).map_err(|error| error.inside(key_of(entry)))
    }
}

/// One choice: a bare word, or a mapping with one entry.
pub(super) struct Single<'de> {
    word: &'de str,
    entry: Option<&'de Entry>,
}

impl<'de> Single<'de> {
    pub(super) fn unit(node: &'de Node) -> Self {
        Self { word: node.text().unwrap_or_default(), entry: None }
    }

    pub(super) fn entry(entry: &'de Entry) -> Self {
        Self { word: &entry.key, entry: Some(entry) }
    }
}

impl<'de> EnumAccess<'de> for Single<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        let variant = seed.deserialize(BorrowedStrDeserializer::new(self.word));
        match (variant, self.entry) {
            (Ok(variant), _) => Ok((variant, self)),
            (Err(error), Some(entry)) => Err(DecodeError::at_key(error, key_of(entry))),
            (Err(error), None) => Err(error),
        }
    }
}

impl<'de> VariantAccess<'de> for Single<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.entry {
            None => Ok(()),
            Some(_) => Err(DecodeError::invalid_type(Unexpected::Map, &"a word")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        match self.entry {
            Some(entry) => {
                seed.deserialize(Decoder { node: &entry.value }).map_err(|error| error.inside(key_of(entry)))
            }
            None => Err(DecodeError::invalid_type(Unexpected::UnitVariant, &"a mapping with one entry")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::invalid_type(Unexpected::TupleVariant, &"a mapping with one entry"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::invalid_type(Unexpected::StructVariant, &"a mapping with one entry"))
    }
}
