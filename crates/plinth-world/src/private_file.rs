//! Files that only their owner may read, written so that a reader sees the old content or the new one, never a part.

use crate::files;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes a directory and its parents, mode 0700. An existing directory keeps its mode.
///
/// # Errors
/// When it is not there and cannot be made.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file, mode 0600, whole or not at all; makes its directory.
///
/// # Errors
/// When the directory or the file cannot be written; an old file is untouched then.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        make_directory(directory)?;
    }
    files::replace(path, content, 0o600)
}

/// Removes a file, durably; it is no error when it is not there.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads a file; none when it is not there.
///
/// # Errors
/// When it is there and cannot be read, or is not text.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the group or others may read the file, by its mode bits alone.
///
/// # Errors
/// When the file cannot be looked at.
pub fn readable_by_others(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o044 != 0)
}

/// Whether a text can be the name of one file: letters, digits, dashes, dots, underscores, not beginning with a dot.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
