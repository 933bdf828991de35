//! Files as wholes: written so that a reader sees the old content or the new one, never a part; read up to a limit, so that a
//! wrong name (`/dev/zero`) fills no memory.

use crate::{deadlines, output};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, Timespec};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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

/// Hexadecimal digits at the end of the name of a neighbour.
const MARK: usize = 32;

/// Writes a file: a temporary neighbour, fsync, rename, fsync of the folder. The folder must be there. What is no plain file (a FIFO, a
/// device) is written into instead.
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
    if !output::is_replaced(path) {
        return output::write(path, content);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let neighbour = neighbour(folder, &name.to_string_lossy())?;
    let written = write_new(&neighbour, content, mode).and_then(|()| fs::rename(&neighbour, path));
    if written.is_err() {
        let _gone_or_never_there = fs::remove_file(&neighbour);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn neighbour(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let mut random = [0; MARK / 2];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(folder.join(format!(".{name}.{:032x}", u128::from_be_bytes(random))))
}

/// Whether a file of this name is the neighbour of another one: half written, by a process that was killed.
#[must_use]
pub fn is_neighbour(name: &str) -> bool {
    let end = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
    end.is_some_and(|(name, mark)| {
        !name.is_empty() && mark.len() == MARK && mark.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Reads a file of at most `limit` bytes. A pipe, a FIFO or a device is read too, as long as something comes.
///
/// # Errors
/// When it cannot be read, or is larger (not more than the limit is held in memory then), or when nothing comes out of it for
/// [`deadlines::INPUT_SILENCE`].
pub fn read_up_to(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let room = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    if file.metadata()?.is_file() {
        file.take(room).read_to_end(&mut content)?;
    } else {
        read_stream(&file, limit, &mut content)?;
    }
    if content.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(content)
}

/// Reads what comes, until its writer closes it or more than the limit came.
fn read_stream(mut file: &File, limit: usize, content: &mut Vec<u8>) -> io::Result<()> {
    let (until, mut piece) = (Instant::now() + deadlines::INPUT, vec![0; 64 * 1024]);
    while content.len() <= limit {
        let left = until.saturating_duration_since(Instant::now()).min(deadlines::INPUT_SILENCE);
        let wait = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
        if left == Duration::ZERO || poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&wait))? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it is no plain file, and nothing comes out of it"));
        }
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => content.extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
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
    fn a_neighbour_is_known_by_its_name() {
        let made = neighbour(Path::new("d"), "ssh-key").unwrap();
        assert!(is_neighbour(made.file_name().unwrap().to_str().unwrap()), "{made:?}");
        for other in [
            "ssh-key",
            ".ssh-key",
            ".bashrc.0123",
            ".x.0123456789abcdef0123456789abcdeg",
            "x.0123456789abcdef0123456789abcdef",
        ] {
            assert!(!is_neighbour(other), "{other}");
        }
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
