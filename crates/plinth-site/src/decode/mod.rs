//! serde over the tree: one deserializer whose errors say which rule was broken and where.

mod access;
mod fault;
mod scalar;

pub(crate) use fault::{DecodeError, Fault, Range, refusal_text};

use crate::tree::{Node, Value};
use access::{Entries, Items, Single};
use plinth_model::finding::code;
use scalar::Scalar;
use serde::de::{Deserializer, Error as _, Expected, Visitor};

/// Reads a value of type `T` from a node.
pub(crate) fn decode<'de, T: serde::Deserialize<'de>>(node: &'de Node) -> Result<T, DecodeError> {
    T::deserialize(Decoder { node })
}

/// A node being read.
#[derive(Clone, Copy)]
struct Decoder<'de> {
    node: &'de Node,
}

impl<'de> Decoder<'de> {
    /// What a person would call this node.
    fn kind(self) -> &'static str {
        match &self.node.value {
            Value::Scalar { text, plain } => Scalar::resolve(text, *plain).kind(),
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Removed => "nothing",
        }
    }

    fn wrong_type(self, expected: impl Into<String>) -> DecodeError {
        DecodeError::new(Fault::WrongType { expected: expected.into(), found: self.kind(), quote: None, keys: &[] })
    }

    fn scalar(self) -> Option<Scalar<'de>> {
        match &self.node.value {
            Value::Scalar { text, plain } => Some(Scalar::resolve(text, *plain)),
            _ => None,
        }
    }

    /// A whole number between the bounds of the wanted type.
    fn integer(self, wanted: Range) -> Result<i128, DecodeError> {
        if let Value::Scalar { text, plain: true } = &self.node.value
            && let Some(plain) = ambiguous(text)
        {
            let message = format!("`{text}` is another number to YAML 1.1 than to YAML 1.2: octal or decimal");
            return Err(DecodeError::new(Fault::Refused {
                code: code::SITE_WRONG_VALUE,
                message,
                fix: format!("write the decimal number without a zero in front, such as `{plain}`"),
            }));
        }
        match self.scalar() {
            Some(Scalar::Integer(number)) if (wanted.least..=wanted.most).contains(&number) => Ok(number),
            Some(Scalar::Integer(number)) => Err(DecodeError::new(Fault::OutOfRange { number, wanted })),
            _ => Err(DecodeError::new(Fault::NoNumber { found: self.kind(), wanted })),
        }
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match (&self.node.value, self.scalar()) {
            (Value::Scalar { .. }, Some(Scalar::Text(text))) => visitor.visit_borrowed_str(text),
            (Value::Scalar { .. }, Some(Scalar::Null)) => Err(self.wrong_type(wanted(&visitor))),
            (Value::Scalar { text, .. }, Some(scalar)) => Err(DecodeError::new(Fault::WrongType {
                expected: wanted(&visitor),
                found: scalar.kind(),
                quote: Some(text.clone()),
                keys: &[],
            })),
            _ => Err(self.wrong_type(wanted(&visitor))),
        }
    }
}

/// The digits of a number with a zero in front: `060000` is 60000 to one reader and 24576 to another.
fn ambiguous(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix('0'))?.trim_start_matches('0');
    (text.len() > 1 && text.len() < 40 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .then_some(digits)
}

/// What a visitor waits for, in our words where it uses serde's.
fn wanted(visitor: &dyn Expected) -> String {
    match visitor.to_string() {
        text if matches!(text.as_str(), "a string" | "a string key" | "a formatted string") => "a text".to_owned(),
        text => text,
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let number = self.integer(Range { least: i128::from($type::MIN), most: i128::from($type::MAX) })?;
            let number = $type::try_from(number).map_err(DecodeError::custom)?;
            visitor.$visit(number)
        }
    )*};
}

impl<'de> Deserializer<'de> for Decoder<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Scalar { text, plain } => Scalar::resolve(text, *plain).visit(visitor),
            Value::Sequence(items) => visitor.visit_seq(Items::new(items)),
            Value::Mapping(entries) => visitor.visit_map(Entries::new(entries)),
            Value::Removed => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.scalar() {
            Some(Scalar::Bool(value)) => visitor.visit_bool(value),
            _ => Err(self.wrong_type("`true` or `false`")),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.scalar() {
            Some(Scalar::Float(number)) => visitor.visit_f64(number),
            Some(Scalar::Integer(number)) => visitor.visit_i128(number),
            _ => Err(self.wrong_type("a number")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        // A key with nothing behind it is unfinished, not absent: the inner type refuses it.
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.scalar() {
            Some(Scalar::Null) => visitor.visit_unit(),
            _ => Err(self.wrong_type("nothing")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Sequence(items) => visitor.visit_seq(Items::new(items)),
            _ => Err(self.wrong_type("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(Entries::new(entries)),
            _ => Err(self.wrong_type("a mapping")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(Entries::new(entries)),
            _ => Err(DecodeError::new(Fault::WrongType {
                expected: "a mapping".to_owned(),
                found: self.kind(),
                quote: None,
                keys: fields,
            })),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Scalar { .. } => visitor.visit_enum(Single::unit(self.node)),
            Value::Mapping(entries) => {
                let mut present = entries.iter().filter(|entry| !entry.value.is_removed());
                match (present.next(), present.next()) {
                    (Some(entry), None) => visitor.visit_enum(Single::entry(entry)),
                    _ => Err(DecodeError::new(Fault::NotOne { known: variants })),
                }
            }
            _ => Err(self.wrong_type(format!("one of {}", variants.join(", ")))),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
}
