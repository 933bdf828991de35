//! Where a rehearsal keeps its state.

use plinth_model::SiteName;
use std::path::{Path, PathBuf};

/// The state directory of a rehearsal: the one given, or one that goes away afterwards.
#[derive(Debug)]
pub struct RehearsalFolder {
    path: PathBuf,
    is_kept: bool,
}

impl RehearsalFolder {
    /// Of a site. Makes no folder.
    #[must_use]
    pub fn new(given: Option<&Path>, site: &SiteName) -> Self {
        let passing = || std::env::temp_dir().join(format!("plinth-rehearsal-{site}-{}", uuid::Uuid::now_v7()));
        Self { path: given.map_or_else(passing, Path::to_path_buf), is_kept: given.is_some() }
    }

    /// Its place.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays, so that the next rehearsal goes on in it.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.is_kept
    }
}

impl Drop for RehearsalFolder {
    /// A folder that stays behind in the temporary directory harms nobody.
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
