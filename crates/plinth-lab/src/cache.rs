//! What takes minutes to make is made once and kept in the user's cache, in a folder named after everything it is made of.

use crate::error::{LabError, LabResult};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Folder of all that labs keep.
pub(crate) fn folder() -> PathBuf {
    let home = || std::env::var_os("HOME").map_or_else(|| "/root".into(), PathBuf::from).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("plinth-lab")
}

/// Makes the folder `path` by `build` unless it is there. Another process that makes the same is waited for; what a killed
/// one left is cleared. `build` gets another path, which is renamed when all went well.
pub(crate) fn made(path: &Path, build: impl FnOnce(&Path) -> LabResult<()>) -> LabResult<()> {
    if path.is_dir() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(LabError::at("making", folder))?;
    let lock = path.with_extension("lock");
    let held = File::create(&lock).map_err(LabError::at("making", &lock))?;
    held.lock().map_err(LabError::at("locking", &lock))?;
    if path.is_dir() {
        return Ok(());
    }
    let unfinished = format!("{}.unfinished-", path.display());
    clear(folder, &unfinished)?;
    // A name of its own: what a killed maker started may still be writing for a moment.
    let beside = PathBuf::from(format!("{unfinished}{}", std::process::id()));
    build(&beside)?;
    std::fs::rename(&beside, path).map_err(LabError::at("naming", path))
}

/// A folder that follows from the content of one file and is made once: `build` fills the folder that it is given.
pub fn cached(name: &str, input: &Path, build: impl FnOnce(&Path) -> Result<(), String>) -> LabResult<PathBuf> {
    let content = std::fs::read(input).map_err(LabError::at("reading", input))?;
    let path = folder().join(format!("{name}-{}", hex::encode(&Sha256::digest(&content)[..8])));
    made(&path, |beside| {
        std::fs::create_dir_all(beside).map_err(LabError::at("making", beside))?;
        build(beside).map_err(|error| LabError::new(format!("making {}", path.display()), error, "try it by hand"))
    })?;
    Ok(path)
}

/// Removes what killed makers of the same folder left.
fn clear(folder: &Path, beginning: &str) -> LabResult<()> {
    for entry in std::fs::read_dir(folder).map_err(LabError::at("listing", folder))?.flatten() {
        let path = entry.path();
        if path.to_string_lossy().starts_with(beginning) {
            crate::tree::remove(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn it_is_made_once_and_half_made_ones_go() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("thing-1");
        let left = scratch.path().join("thing-1.unfinished-7");
        std::fs::create_dir(&left).unwrap();
        let times = Cell::new(0);
        let build = |at: &Path| {
            times.set(times.get() + 1);
            std::fs::create_dir(at).map_err(LabError::at("making", at))
        };
        made(&path, build).unwrap();
        made(&path, build).unwrap();
        assert_eq!((times.get(), path.is_dir(), left.exists()), (1, true, false));
    }

    #[test]
    fn what_fails_leaves_no_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("thing-2");
        made(&path, |_| Err(LabError::new("making it", "no", "again"))).unwrap_err();
        assert!(!path.exists());
    }
}
