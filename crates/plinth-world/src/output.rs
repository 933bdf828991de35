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

/// Whether the path is a name of an open file: `/dev/stdout`, `/dev/fd/3`, `>(jq .)`. What it leads to is written into, even where that is
/// a plain file: a file that takes the place of the name would replace the machine's own `/dev/stdout`.
#[must_use]
pub fn is_open_file(path: &Path) -> bool {
    let named = ["/dev/stdin", "/dev/stdout", "/dev/stderr"].iter().any(|name| path == Path::new(name));
    named || path.starts_with("/dev/fd") || path.starts_with("/proc")
}

/// Whether the path is a symbolic link to a plain file, or to where none is yet. Names of open files are none, although `/dev` and
/// `/proc` hold them as links.
#[must_use]
pub fn is_link(path: &Path) -> bool {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    is_link && is_plain(path) && !is_open_file(path)
}

/// Makes a plain file, or empties the one that is there, for writing only. A symbolic link is not followed, and nothing is waited for.
///
/// # Errors
/// When it cannot be opened, or became something else meanwhile.
pub fn create(path: &Path) -> io::Result<File> {
    let careful = if is_open_file(path) { OFlags::empty() } else { OFlags::NOFOLLOW };
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

/// Whether a file at this path would be replaced as a whole: it is a plain one, or none yet, and the path is its own name.
pub(crate) fn is_replaced(path: &Path) -> bool {
    is_plain(path) && !is_open_file(path)
}

/// Writes into something that is not replaced: behind what stands there, where it is a plain file after all.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file: Box<dyn io::Write> = match path.to_str() {
        Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => Box::new(io::stdout()),
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => Box::new(io::stderr()),
        _ if is_plain(path) => Box::new(OpenOptions::new().append(true).open(path)?),
        _ => Box::new(open(path)?),
    };
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

    /// The other names of open files are links that root could replace.
    #[test]
    fn a_name_of_an_open_file_is_written_into_and_stays() {
        use std::os::fd::AsRawFd as _;
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("behind")).unwrap();
        for name in [format!("/proc/self/fd/{}", file.as_raw_fd()), format!("/dev/fd/{}", file.as_raw_fd())] {
            assert!(is_open_file(Path::new(&name)) && !is_link(Path::new(&name)));
            files::replace(Path::new(&name), b"one\n", 0o600).unwrap();
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("behind")).unwrap(), "one\none\n");
        assert!(!is_replaced(Path::new("/dev/stdout")) && is_replaced(Path::new("/dev/shm/new")));
        assert!(is_replaced(&folder.path().join("stdout")));
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
