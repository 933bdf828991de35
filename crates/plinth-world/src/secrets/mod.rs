//! Secret values for references, and the second wall that keeps them out of texts. The secrets of a site are in `plinth-keystore`.

mod encoding;
mod memory;
mod redactor;
mod spelling;

pub use memory::MemorySecrets;
pub use redactor::{MASK, Redactor};

use plinth_model::{Secret, SecretRef};

/// Why a secret could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("secret {reference}: {happened}")]
pub struct SecretError {
    /// Which secret, by where it comes from.
    pub reference: SecretRef,
    /// What happened; never the value.
    pub happened: String,
    /// Nobody has made it yet. Everything else is a failure to see it, from which nothing follows.
    pub is_absent: bool,
}

impl SecretError {
    /// An error about a reference.
    #[must_use]
    pub fn new(reference: &SecretRef, happened: impl Into<String>) -> Self {
        Self { reference: reference.clone(), happened: happened.into(), is_absent: false }
    }

    /// The error about one that nobody has made yet.
    #[must_use]
    pub fn absent(reference: &SecretRef, happened: impl Into<String>) -> Self {
        Self { is_absent: true, ..Self::new(reference, happened) }
    }
}

/// Gives secret values for references.
pub trait Secrets: Send + Sync {
    /// The value.
    ///
    /// # Errors
    /// When it is not there, empty, or cannot be read.
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError>;
    /// The value; none while nobody made or learnt it yet, which only happens to generated ones.
    ///
    /// # Errors
    /// When it is there and empty, or cannot be read.
    fn find(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        self.get(reference).map(Some)
    }
    /// Keeps a generated value for later runs.
    ///
    /// # Errors
    /// When it cannot be stored, or the reference is not a generated one.
    fn keep(&self, reference: &SecretRef, value: &Secret) -> Result<(), SecretError>;
    /// Keeps a generated value no longer; one that is not kept is fine. It stays known to [`Self::redact`].
    ///
    /// # Errors
    /// When it cannot be removed, or the reference is not a generated one.
    fn forget(&self, reference: &SecretRef) -> Result<(), SecretError>;
    /// Replaces every secret given out so far that occurs in the text.
    fn redact(&self, text: &str) -> String;
    /// Variables of this process that hold secrets of the site: no program that plinth starts is given them.
    fn hidden_variables(&self) -> &[String] {
        &[]
    }
}
