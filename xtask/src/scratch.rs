//! Throw-away directories.

use crate::commands::Failure;
use std::path::{Path, PathBuf};

/// A directory that is removed when it goes out of scope.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one; `name` tells several of one process apart.
    pub(crate) fn new(name: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("plinth-xtask-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("making {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays in the temporary directory, where the system clears it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
