//! Texts with a rule. A text is checked where it is read, so later code cannot meet a bad one.

use crate::decode::refusal_text;
use plinth_model::finding::Code;
use plinth_model::finding::code;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) fix: String,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: code::SITE_WRONG_VALUE, message: message.into(), fix: fix.into() }
    }

    pub(crate) fn code(self, code: Code) -> Self {
        Self { code, ..self }
    }
}

/// A text with a rule.
pub(crate) trait Rule: Sized {
    /// For messages and the schema: `a version`.
    const WHAT: &'static str;
    /// A text that obeys the rule; stands in for a missing one while the rest is judged.
    const EXAMPLE: &'static str;
    /// Regular expression for the schema; weaker than [`Rule::read`], never stronger.
    const PATTERN: &'static str;

    /// Reads a text.
    fn read(text: &str) -> Result<Self, Refusal>;

    /// The same; a refusal says what was meant, where one slip explains it.
    fn meant(text: &str) -> Result<Self, Refusal> {
        Self::read(text).map_err(|refusal| super::slips::explained::<Self>(text, refusal))
    }
}

/// A checked text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T> Deref for Text<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Rule> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<T>(std::marker::PhantomData<T>);

        impl<T: Rule> Visitor<'_> for TextVisitor<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
                T::meant(text).map(Text).map_err(|r| E::custom(refusal_text(r.code, &r.message, &r.fix)))
            }
        }

        deserializer.deserialize_str(TextVisitor(std::marker::PhantomData))
    }
}

impl<T: Rule> JsonSchema for Text<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed(T::WHAT)
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": T::PATTERN, "examples": [T::EXAMPLE]})
    }
}
