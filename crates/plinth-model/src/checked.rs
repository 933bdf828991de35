//! Texts that were checked once, where they came in, and are what they claim to be from then on.

use crate::Problem;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Why a text is not what it should be, in the four parts of a problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {happened}; {attempt}")]
pub struct TextError {
    /// What we were doing: `reading a domain`.
    pub doing: &'static str,
    /// The text refused, at most 80 characters of it.
    pub text: String,
    /// What is wrong with it: `holds a port`.
    pub happened: &'static str,
    /// What to write instead.
    pub attempt: &'static str,
}

impl TextError {
    pub(crate) fn new(doing: &'static str, text: &str, happened: &'static str, attempt: &'static str) -> Self {
        Self { doing, text: text.chars().take(80).collect(), happened, attempt }
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        let TextError { doing, text, happened, attempt } = error;
        Self::while_doing(doing).to(format!("`{text}`")).wrong_input(format!("it {happened}")).try_this(attempt)
    }
}

/// A text of ours, or one that came in; cheap to clone, and equal to another of the same letters.
#[derive(Clone)]
pub(crate) enum Kept {
    Fixed(&'static str),
    Read(Arc<str>),
}

impl Kept {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Read(text) => text,
        }
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Declares a type for such texts: `judge` answers why one is refused, in a `const fn`, so that a wrong constant does not compile.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $judge:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name($crate::checked::Kept);

        impl $name {
            /// Takes a text in.
            ///
            /// # Errors
            /// When it is something else; the error says what, and what to write instead.
            pub fn new(text: &str) -> Result<Self, $crate::checked::TextError> {
                match $judge(text) {
                    Ok(()) => Ok(Self($crate::checked::Kept::Read(text.into()))),
                    Err((happened, attempt)) => {
                        Err($crate::checked::TextError::new(Self::DOING, text, happened, attempt))
                    }
                }
            }

            /// A constant, checked when it is compiled. For tests too.
            #[must_use]
            pub const fn fixed(text: &'static str) -> Self {
                assert!($judge(text).is_ok(), "not a text of this type");
                Self($crate::checked::Kept::Fixed(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        // What stands behind the border takes a text, and this is one.
        impl std::ops::Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::checked::TextError;
            fn try_from(text: String) -> Result<Self, $crate::checked::TextError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}
pub(crate) use checked_text;
