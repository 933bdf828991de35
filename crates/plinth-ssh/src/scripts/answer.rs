//! What the answers of our scripts have in common.

use crate::frame::Frames;

/// The words with which a script refused or failed, as an error.
///
/// # Errors
/// When there is a `fail` frame.
pub(super) fn failure(frames: &Frames) -> Result<(), String> {
    frames.get("fail").map_or(Ok(()), |words| Err(words.to_owned()))
}

/// All values of a key, as text of their own.
pub(super) fn owned(frames: &Frames, key: &str) -> Vec<String> {
    frames.all(key).into_iter().map(str::to_owned).collect()
}

/// SHA-256 as `sha256sum` prints it.
pub(super) fn digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
