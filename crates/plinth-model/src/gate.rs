//! The gates that plans have, and their answers: one definition for the planner that shows them and the step that answers them.

use crate::NodeName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// `kind/subject`: `storage/dgx-05`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct GateId(Arc<str>);

/// One word out of the bounded set that a gate has: `relocate`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct GateAnswer(Cow<'static, str>);

/// A text that is no gate, or no answer of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct GateError {
    text: String,
    what: &'static str,
}

impl GateError {
    fn new(text: &str, what: &'static str) -> Self {
        Self { text: text.chars().take(120).collect(), what }
    }
}

impl GateId {
    /// The gate that waits for the size of a node's disk.
    #[must_use]
    pub fn storage(node: &NodeName) -> Self {
        Self(Arc::from(format!("storage/{node}")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of gate it is: `storage`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split_once('/').map_or("", |(kind, _)| kind)
    }

    /// What it is about: a node, as a rule.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, subject)| subject)
    }
}

impl GateAnswer {
    /// Of a storage gate: images stay where they are.
    pub const FITS: Self = Self(Cow::Borrowed("fits"));
    /// Of a storage gate: images move to the larger place, or live there already.
    pub const RELOCATE: Self = Self(Cow::Borrowed("relocate"));

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GateId {
    type Error = GateError;

    fn try_from(text: String) -> Result<Self, GateError> {
        let is_gate = text.split_once('/').is_some_and(|(kind, subject)| is_word(kind) && is_word(subject));
        if is_gate {
            Ok(Self(Arc::from(text)))
        } else {
            Err(GateError::new(&text, "a gate: it has the form kind/subject"))
        }
    }
}

impl TryFrom<String> for GateAnswer {
    type Error = GateError;

    fn try_from(text: String) -> Result<Self, GateError> {
        let known = [Self::FITS, Self::RELOCATE].into_iter().find(|known| known.0 == text);
        match known {
            Some(known) => Ok(known),
            None if is_word(&text) => Ok(Self(Cow::Owned(text))),
            None => Err(GateError::new(&text, "the answer of a gate: it is one word")),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == '/' || c.is_whitespace())
}

impl From<GateId> for String {
    fn from(id: GateId) -> Self {
        id.0.to_string()
    }
}

impl From<GateAnswer> for String {
    fn from(answer: GateAnswer) -> Self {
        answer.0.into_owned()
    }
}

macro_rules! shown_as_text {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = GateError;

            fn from_str(text: &str) -> Result<Self, GateError> {
                Self::try_from(text.to_owned())
            }
        }
    )*};
}

shown_as_text!(GateId GateAnswer);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_a_kind_and_a_subject_and_an_answer_is_one_word() {
        let gate: GateId = "storage/dgx-05".parse().unwrap();
        assert_eq!(gate, GateId::storage(&NodeName::new("dgx-05").unwrap()));
        assert_eq!((gate.kind(), gate.subject()), ("storage", "dgx-05"));
        assert_eq!(serde_json::to_string(&gate).unwrap(), "\"storage/dgx-05\"");
        for wrong in ["", "storage", "storage/", "/a", "a/b/c", "a/b c"] {
            assert!(wrong.parse::<GateId>().is_err(), "{wrong}");
            assert!(serde_json::from_value::<GateId>(wrong.into()).is_err(), "{wrong}");
        }
        assert_eq!("fits".parse(), Ok(GateAnswer::FITS));
        assert_eq!(serde_json::to_string(&GateAnswer::RELOCATE).unwrap(), "\"relocate\"");
        assert!("".parse::<GateAnswer>().is_err() && "two words".parse::<GateAnswer>().is_err());
    }
}
