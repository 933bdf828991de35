//! The folder of fetched files: each under its checksum, parts beside them. A file is whole and verified as soon as it has its name.

use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// Files by checksum.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    /// Checksums that were computed by this process and were right.
    proven: Arc<Mutex<HashSet<String>>>,
}

impl Store {
    /// The store in a folder, which is made when first needed.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), proven: Arc::default() }
    }

    /// Where a content is.
    #[must_use]
    pub fn place(&self, sha256: &str) -> PathBuf {
        self.folder.join(sha256)
    }

    /// Where a content grows.
    #[must_use]
    pub fn part(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}.part"))
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// As the file system says.
    pub fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)
    }

    /// Whether the content is here and is right. What is here and is wrong is removed. Reads each file once per process.
    ///
    /// # Errors
    /// As the file system says.
    pub fn holds(&self, sha256: &str) -> io::Result<bool> {
        let place = self.place(sha256);
        if !place.is_file() {
            return Ok(false);
        }
        if self.proven.lock().unwrap_or_else(PoisonError::into_inner).contains(sha256) {
            return Ok(true);
        }
        let right = digest_of(&place)? == sha256;
        if right {
            self.prove(sha256);
        } else {
            std::fs::remove_file(&place)?;
        }
        Ok(right)
    }

    /// Takes a grown part as the content. What is wrong is removed, so that the next try starts over; the answer is its checksum.
    ///
    /// # Errors
    /// As the file system says.
    pub fn accept(&self, sha256: &str) -> io::Result<Result<(), String>> {
        let part = self.part(sha256);
        let found = digest_of(&part)?;
        if found != sha256 {
            std::fs::remove_file(&part)?;
            return Ok(Err(found));
        }
        File::open(&part)?.sync_all()?;
        std::fs::rename(&part, self.place(sha256))?;
        File::open(&self.folder)?.sync_all()?;
        self.prove(sha256);
        Ok(Ok(()))
    }

    fn prove(&self, sha256: &str) {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).insert(sha256.to_owned());
    }
}

/// SHA-256 of a file, read in pieces.
fn digest_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hash.update(&piece[..read]),
        }
    }
    Ok(hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Of `hello\n`.
    const HELLO: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    #[test]
    fn only_the_right_content_gets_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("downloads"));
        store.make().unwrap();
        assert!(!store.holds(HELLO).unwrap());
        std::fs::write(store.part(HELLO), "hell").unwrap();
        assert!(store.accept(HELLO).unwrap().is_err());
        assert!(!store.part(HELLO).exists(), "a wrong part is no beginning");
        std::fs::write(store.part(HELLO), "hello\n").unwrap();
        assert_eq!(store.accept(HELLO).unwrap(), Ok(()));
        assert!(store.holds(HELLO).unwrap() && !store.part(HELLO).exists());
    }

    #[test]
    fn a_content_that_was_changed_is_not_held() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(HELLO), "other").unwrap();
        assert!(!Store::new(folder.path()).holds(HELLO).unwrap());
        assert!(!folder.path().join(HELLO).exists());
    }
}
