//! Removing folders. A file system that is mounted below one is never entered: it may be the machine's own.

use crate::error::{LabError, LabResult};
use std::path::{Path, PathBuf};

/// Removes a folder or a file with all below it; refuses when something is mounted at it or below.
pub(crate) fn remove(path: &Path) -> LabResult<()> {
    // A link goes, not what it points to.
    if path.is_symlink() {
        return std::fs::remove_file(path).map_err(LabError::at("removing", path));
    }
    let table = Path::new("/proc/self/mountinfo");
    let mounts = std::fs::read_to_string(table).map_err(LabError::at("reading", table))?;
    let real = path.canonicalize().map_err(LabError::at("looking at", path))?;
    if let Some(mount) = mounted(&mounts, &real).first() {
        return Err(LabError::new(
            format!("removing {}", path.display()),
            format!("something is mounted at {}", mount.display()),
            "unmount it, then try again; nothing was removed",
        ));
    }
    let removed = if real.is_dir() { std::fs::remove_dir_all(&real) } else { std::fs::remove_file(&real) };
    removed.map_err(LabError::at("removing", path))
}

/// Mount points at a path and below it. The table writes blanks and such as octal numbers.
fn mounted(mounts: &str, path: &Path) -> Vec<PathBuf> {
    let point = |line: &str| {
        let written = line.split(' ').nth(4)?;
        let plain = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
        Some(PathBuf::from(plain.iter().fold(written.to_owned(), |text, (octal, sign)| text.replace(octal, sign))))
    };
    mounts.lines().filter_map(point).filter(|point| point.starts_with(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_are_seen_and_neighbours_are_not() {
        let table = "1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /a/b/proc ro - proc p rw\n3 1 0:3 / /a/bc rw - tmpfs t rw\n\
                     4 1 0:4 / /a/with\\040blank/x rw - tmpfs t rw\n";
        let count = |path: &str| mounted(table, Path::new(path)).len();
        assert_eq!(
            (count("/a/b"), count("/a/b/proc"), count("/a/b/c"), count("/a/with blank"), count("/a")),
            (1, 1, 0, 1, 3)
        );
    }

    #[test]
    fn trees_and_files_go() {
        let scratch = tempfile::tempdir().unwrap();
        let tree = scratch.path().join("tree");
        std::fs::create_dir_all(tree.join("deep/er")).unwrap();
        std::fs::write(tree.join("deep/file"), "x").unwrap();
        remove(&tree.join("deep/file")).unwrap();
        std::os::unix::fs::symlink(tree.join("deep"), scratch.path().join("link")).unwrap();
        remove(&scratch.path().join("link")).unwrap();
        assert!(tree.join("deep/er").exists(), "a link was followed");
        remove(&tree).unwrap();
        assert!(!tree.exists() && remove(&tree).is_err());
    }
}
