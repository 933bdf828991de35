//! Where secret values come from, and the second wall that keeps them out of texts.

use plinth_model::{Secret, SecretRef};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Why a secret could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret {reference}: {happened}")]
pub struct SecretError {
    /// Which.
    pub reference: SecretRef,
    /// What happened; never the value.
    pub happened: String,
}

/// Gives secret values for references.
pub trait Secrets: Send + Sync {
    /// The value.
    ///
    /// # Errors
    /// When it is not there, empty, or cannot be read.
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError>;
    /// Keeps a generated value for later runs.
    ///
    /// # Errors
    /// When it cannot be stored, or the reference is not a generated one.
    fn keep(&self, reference: &SecretRef, value: &Secret) -> Result<(), SecretError>;
    /// Replaces every secret given out so far that occurs in the text.
    fn redact(&self, text: &str) -> String;
}

/// Remembers values that were given out and replaces them in texts.
#[derive(Default)]
pub struct Redactor(Mutex<BTreeMap<String, Secret>>);

impl Redactor {
    /// Shorter values are not remembered: replacing them would garble texts without protecting anything.
    const SHORTEST: usize = 4;

    /// Remembers a value.
    pub fn remember(&self, reference: &SecretRef, value: &Secret) {
        if value.expose().len() >= Self::SHORTEST
            && let Ok(mut known) = self.0.lock()
        {
            known.insert(reference.to_string(), value.clone());
        }
    }

    /// Replaces remembered values, each line of a many-line value too.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let Ok(known) = self.0.lock() else { return "[text withheld]".to_owned() };
        let mut values: Vec<&str> = known
            .values()
            .flat_map(|s| std::iter::once(s.expose()).chain(s.expose().lines()))
            .filter(|v| v.len() >= Self::SHORTEST)
            .collect();
        values.sort_unstable_by_key(|v| std::cmp::Reverse(v.len()));
        values.into_iter().fold(text.to_owned(), |text, value| text.replace(value, "[secret]"))
    }
}
