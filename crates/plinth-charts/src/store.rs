//! Packages as they are kept: each under its digest, in a folder that is ours alone. A package has its name only when it is whole.

use plinth_model::Digest;
use plinth_world::{files, private_file};
use std::io;
use std::path::{Path, PathBuf};

/// Packages by digest.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    /// End of the files' names.
    ext: &'static str,
}

impl Store {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, ext: "tgz" }
    }

    /// The same for files of objects.
    pub(crate) fn of_objects(folder: PathBuf) -> Self {
        Self { folder, ext: "yaml" }
    }

    /// Where the package of a digest is, whether or not it is there.
    pub(crate) fn place(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{digest}.{}", self.ext))
    }

    /// The package of a digest, if it is here and right. What is here and wrong is removed.
    pub(crate) fn read(&self, digest: &str) -> io::Result<Option<Vec<u8>>> {
        let place = self.place(digest);
        match files::read_up_to(&place, crate::package::LARGEST) {
            Ok(bytes) if Digest::of_bytes(&bytes).as_str() == digest => Ok(Some(bytes)),
            Ok(_) => self.drop_wrong(&place),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => self.drop_wrong(&place),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn drop_wrong(&self, place: &Path) -> io::Result<Option<Vec<u8>>> {
        tracing::warn!(file = %place.display(), "a kept package was changed; it is fetched again");
        private_file::remove(place).map(|()| None)
    }

    /// Keeps a package, whole or not at all.
    pub(crate) fn keep(&self, digest: &str, bytes: &[u8]) -> io::Result<()> {
        private_file::write(&self.place(digest), bytes)
    }
}
