//! What can go wrong while a tree is decoded.

use crate::path::{Path, Segment};
use plinth_model::finding::Code;
use plinth_model::finding::code;
use serde::de::{Expected, Unexpected};
use std::fmt;

/// A rule of the file's shape that was broken. Never holds the text of a value at a place where secrets stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// A key that does not exist there.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A key that must be there.
    Missing(String),
    /// Another kind of value.
    WrongType {
        expected: String,
        found: &'static str,
        /// The text as written, when quotes would make it right.
        quote: Option<String>,
        /// Keys of the mapping that was expected.
        keys: &'static [&'static str],
    },
    /// No number, where one of these is wanted.
    NoNumber { found: &'static str, wanted: Range },
    /// A number that does not fit.
    OutOfRange { number: i128, wanted: Range },
    /// A word that is none of the choices.
    UnknownChoice { choice: String, known: &'static [&'static str] },
    /// A mapping that must have exactly one of these keys.
    NotOne { known: &'static [&'static str] },
    /// A text type refused its text.
    Refused { code: Code, message: String, fix: String },
}

/// Whole numbers, both ends among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) least: i128,
    pub(crate) most: i128,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, most } = self;
        // The limits of a machine word are nothing that people choose by.
        match *most > i128::from(u32::MAX) {
            true => write!(f, "a whole number, {least} or more"),
            false => write!(f, "a whole number from {least} to {most}"),
        }
    }
}

/// A fault and where it is.
#[derive(Clone, Debug)]
pub(crate) struct DecodeError {
    fault: Box<Fault>,
    /// Innermost first, since it is built on the way out.
    reversed: Vec<Segment>,
    /// The key is wrong, not its value.
    pub(crate) key: bool,
}

/// serde carries refusals of text types as one text; this character, which no message contains, stands between its parts.
const SEPARATOR: char = '\u{1f}';

/// The text by which a text type hands a code, a message and a fix through [`serde::de::Error::custom`].
pub(crate) fn refusal_text(code: Code, message: &str, fix: &str) -> String {
    let clean = |text: &str| text.replace(SEPARATOR, " ");
    format!("{}{SEPARATOR}{}{SEPARATOR}{}", clean(code.as_str()), clean(message), clean(fix))
}

impl DecodeError {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault: Box::new(fault), reversed: Vec::new(), key: false }
    }

    /// The same error, seen from the collection around it.
    pub(super) fn inside(mut self, segment: Segment) -> Self {
        self.reversed.push(segment);
        self
    }

    /// The error of a key.
    pub(super) fn at_key(mut self, segment: Segment) -> Self {
        self.key = true;
        self.inside(segment)
    }

    /// What is wrong.
    pub(crate) fn fault(&self) -> &Fault {
        &self.fault
    }

    /// Where, in terms of the file. A missing key is at the mapping that lacks it.
    pub(crate) fn path(&self) -> Path {
        Path(self.reversed.iter().rev().cloned().collect())
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.path(), self.fault)
    }
}

impl std::error::Error for DecodeError {}

/// The kind of a value without the value itself.
fn kind(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a truth value",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a text",
        Unexpected::Unit | Unexpected::Option => "nothing",
        Unexpected::Seq | Unexpected::TupleVariant => "a list",
        Unexpected::Map | Unexpected::StructVariant => "a mapping",
        Unexpected::UnitVariant | Unexpected::Enum => "a word",
        Unexpected::NewtypeStruct | Unexpected::NewtypeVariant | Unexpected::Other(_) => "something else",
    }
}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        let mut parts = text.splitn(3, SEPARATOR);
        let refused = match (parts.next(), parts.next(), parts.next()) {
            (Some(code), Some(message), Some(fix)) => {
                Fault::Refused { code: Code::named(code), message: message.to_owned(), fix: fix.to_owned() }
            }
            _ => Fault::Refused { code: code::SITE_WRONG_VALUE, message: text, fix: String::new() },
        };
        Self::new(refused)
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Fault::WrongType {
            expected: super::wanted(expected),
            found: kind(&unexpected),
            quote: None,
            keys: &[],
        })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(Fault::WrongType {
            expected: super::wanted(expected),
            found: "another number of items",
            quote: None,
            keys: &[],
        })
    }

    fn unknown_variant(choice: &str, known: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownChoice { choice: choice.to_owned(), known })
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownKey { key: key.to_owned(), known })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(Fault::Missing(key.to_owned()))
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::custom(refusal_text(
            code::SITE_DUPLICATE_KEY,
            &format!("`{key}` stands here twice"),
            "keep one of the two",
        ))
    }
}
