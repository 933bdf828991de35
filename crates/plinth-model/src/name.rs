//! Names that were checked once, at the border.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {rule}")]
pub struct NameError {
    /// The text refused.
    pub text: String,
    /// What it should have been.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// Checks an RFC 1123 label: 1 to 63 lower-case letters, digits and dashes, no dash at either end.
fn check_label(text: &str, what: &'static str) -> Result<(), NameError> {
    let error = |rule| Err(NameError { text: text.chars().take(80).collect(), what, rule });
    if text.is_empty() || text.len() > 63 {
        return error("it must have 1 to 63 characters");
    }
    if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return error("only lower-case letters, digits and dashes are allowed");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return error("it must not begin or end with a dash");
    }
    Ok(())
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text in.
            ///
            /// # Errors
            /// When it is not an RFC 1123 label in lower case.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check_label(text, $what)?;
                Ok(Self(Arc::from(text)))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        // Hashed and compared as its text, so that a map of names answers to a text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

label!(
    /// Name of a node: its BCM hostname, which is also its Kubernetes node name, so an RFC 1123 label in lower case.
    NodeName,
    "node name"
);
label!(
    /// Name of a site: also the name of a folder, so an RFC 1123 label in lower case.
    SiteName,
    "site name"
);
