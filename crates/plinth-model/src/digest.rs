//! Digests of values: what a plan was made from, and what a step was to do when the journal speaks of it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{BufWriter, Write};

/// SHA-256 of some bytes, written as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Digest of raw bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    /// Digest of a value by its JSON text. Object keys keep their order, so the same value built the same way gives the same
    /// digest; a value that cannot be written as JSON (a map with non-text keys) gives the digest of the error text.
    #[must_use]
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let mut text = BufWriter::new(Hasher(Sha256::new()));
        let written = serde_json::to_writer(&mut text, value).map_err(std::io::Error::from);
        match written.and_then(|()| Ok(text.into_inner()?)) {
            Ok(Hasher(hash)) => Self(hex::encode(hash.finalize())),
            Err(error) => Self::of_bytes(error.to_string().as_bytes()),
        }
    }

    /// Digest of what was taken in.
    pub(crate) fn of_hash(hash: Sha256) -> Self {
        Self(hex::encode(hash.finalize()))
    }

    /// The first twelve digits: enough for people, never for comparison.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }

    /// All digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Takes in a text as it is written, so that the text of a large plan never stands in memory as a whole.
struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_digest_is_that_of_the_json_text_however_long_it_is() {
        for length in [0, 1, 63, 64, 8_191, 8_192, 100_000] {
            let value = vec!["a\u{e4}\n"; length];
            let text = serde_json::to_vec(&value).unwrap();
            assert_eq!(Digest::of(&value), Digest::of_bytes(&text), "{length}");
        }
        assert_eq!(Digest::of_bytes(b"abc").short(), "ba7816bf8f01");
    }

    #[test]
    fn a_value_that_is_no_json_has_a_digest_of_its_own() {
        let keys = BTreeMap::from([(vec![1], 1)]);
        assert_ne!(Digest::of(&keys), Digest::of_bytes(b""));
        assert_eq!(Digest::of(&keys), Digest::of(&keys));
    }
}
