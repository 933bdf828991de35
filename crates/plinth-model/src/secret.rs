//! Secrets: a type that cannot be printed, serialised or compared, and references that say where one is found.

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A secret value. It has no `Display`, no `Serialize`, and its `Debug` prints `[secret]`; memory is wiped on drop.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value in.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(SecretString::from(value))
    }

    /// Gives the value out. Only clients and the redactor may call this; never put the result into argv, a log, an event, a
    /// plan, the journal or an error text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Where a secret is found. This, never the value, stands in the site file, in plans and in step parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file; its last line break is not part of the secret.
    File(String),
    /// A program and its arguments, run without a shell; its standard output is the secret.
    Exec(Vec<String>),
    /// Made by plinth itself and kept in the state directory (0600), under this name: `runai-client-secret`.
    Generated(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Env(name) => write!(f, "env {name}"),
            SecretRef::File(path) => write!(f, "file {path}"),
            SecretRef::Exec(argv) => write!(f, "exec {}", argv.first().map_or("", String::as_str)),
            SecretRef::Generated(name) => write!(f, "generated {name}"),
        }
    }
}
