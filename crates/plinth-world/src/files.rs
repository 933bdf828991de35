//! Files as wholes: written so that a reader sees the old content or the new one, never a part; read up to a limit, so that a
//! wrong name (`/dev/zero`) fills no memory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The file that a site file names: a relative name starts at the folder of the site file, `~/` at the home of whoever runs plinth.
#[must_use]
pub fn named(folder: &Path, name: impl AsRef<Path>) -> PathBuf {
    let name = name.as_ref();
    match (name.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => folder.join(name),
    }
}

/// Mode of files that hold no secret, before the process's mask.
const PUBLIC: u32 = 0o666;

/// Writes a file: a temporary neighbour, fsync, rename, fsync of the folder. The folder must be there.
///
/// # Errors
/// When the path names no file, the folder is missing or not writable, or the disk is full. The old file is untouched then,
/// and no neighbour stays behind.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, PUBLIC)
}

/// The same with a mode, which the process's mask narrows.
///
/// # Errors
/// As for [`write_whole`].
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not the name of a file"));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let neighbour = folder.join(format!(".{}.{}", name.to_string_lossy(), uuid::Uuid::new_v4().simple()));
    let written = write_new(&neighbour, content, mode).and_then(|()| fs::rename(&neighbour, path));
    if written.is_err() {
        let _gone_or_never_there = fs::remove_file(&neighbour);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, or is larger; not more than the limit is held in memory then.
pub fn read_up_to(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let room = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(room).read_to_end(&mut content)?;
    if content.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        for content in ["first", "second"] {
            write_whole(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        let private = folder.path().join("key");
        replace(&private, b"k", 0o600).unwrap();
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_failure_leaves_the_place_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("by-a-folder")).unwrap();
        assert!(write_whole(&taken, b"x").is_err());
        assert!(write_whole(&folder.path().join("none/x"), b"x").is_err());
        assert!(write_whole(Path::new("/"), b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_larger_than_the_limit_is_refused_however_long_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_up_to(&path, 5).unwrap(), b"12345");
        for (path, limit) in [(path.as_path(), 4), (Path::new("/dev/zero"), 1_000)] {
            assert_eq!(read_up_to(path, limit).unwrap_err().kind(), io::ErrorKind::FileTooLarge, "{}", path.display());
        }
    }
}
