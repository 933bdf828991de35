//! Where people let plinth write: a file, or something that somebody reads meanwhile (`>(jq .)`, a FIFO, a device). The second kind is
//! never read, not even to see what is there, and never replaced by a file.

use crate::deadlines;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread::sleep;
use std::time::Instant;

/// Whether a file stands there, or nothing yet.
#[must_use]
pub fn is_plain(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |found| {
        let kind = found.file_type();
        !(kind.is_fifo() || kind.is_char_device() || kind.is_block_device() || kind.is_socket())
    })
}

/// Whether the path is a symbolic link to a plain file, or to where none is yet. The links of `/dev` and `/proc` are what a shell names
/// open files by (`/dev/stdout`, `>(jq .)`), and count as those.
#[must_use]
pub fn is_link(path: &Path) -> bool {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    is_link && is_plain(path) && !path.starts_with("/dev") && !path.starts_with("/proc")
}

/// Makes a plain file, or empties the one that is there, for writing only. A symbolic link is not followed, and nothing is waited for.
///
/// # Errors
/// When it cannot be opened, or became something else meanwhile.
pub fn create(path: &Path) -> io::Result<File> {
    let careful =
        if path.starts_with("/dev") || path.starts_with("/proc") { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = (careful | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().write(true).create(true).truncate(true).custom_flags(flags).open(path)
}

/// Opens something that is no plain file, for writing only. A FIFO is open when somebody reads it.
///
/// # Errors
/// When it cannot be opened, or nobody reads it within [`deadlines::OUTPUT_READER`].
pub fn open(path: &Path) -> io::Result<File> {
    let until = Instant::now() + deadlines::OUTPUT_READER;
    loop {
        match OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path) {
            Ok(file) => {
                fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
                return Ok(file);
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
                if Instant::now() >= until {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
                }
            }
            Err(error) => return Err(error),
        }
        sleep(deadlines::OUTPUT_LOOK);
    }
}

/// Writes into something that is no plain file.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = open(path)?;
    file.write_all(content)?;
    file.flush()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn a_link_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(is_link(&link) && create(&link).is_err() && !target.exists(), "a dangling one makes nothing elsewhere");
        std::fs::write(&target, "kept").unwrap();
        assert!(is_link(&link) && create(&link).is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "kept");
        assert!(!is_link(&target) && !is_link(Path::new("/dev/stdout")) && !is_link(&folder.path().join("new")));
        create(&target).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "");
    }

    #[test]
    fn what_somebody_reads_is_written_into_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        assert!(!is_plain(&path) && !is_plain(Path::new("/dev/null")) && is_plain(&folder.path().join("new")));
        let reader = std::thread::spawn({
            let path = path.clone();
            move || std::fs::read(path).unwrap()
        });
        files::write_whole(&path, b"whole").unwrap();
        assert_eq!(reader.join().unwrap(), b"whole");
        assert!(!is_plain(&path));
        let refused = files::read_up_to(&path, 10).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut, "{refused}");
    }
}
