//! Where people let plinth write: a file, or something that somebody reads meanwhile (`>(jq .)`, a FIFO, a device). The second kind is
//! never read, not even to see what is there, and never replaced by a file.

use crate::deadlines;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks whether somebody reads a FIFO.
const LOOK: Duration = Duration::from_millis(20);

/// Whether a file stands there, or nothing yet.
#[must_use]
pub fn is_plain(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |found| {
        let kind = found.file_type();
        !(kind.is_fifo() || kind.is_char_device() || kind.is_block_device() || kind.is_socket())
    })
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
        sleep(LOOK);
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
