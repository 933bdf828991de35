//! The file of the log: private to the user, and bounded.

use plinth_model::Problem;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Name of the newest file in the state directory; older ones are `plinth.log.1`, `plinth.log.2`.
const NAME: &str = "plinth.log";
/// Largest file, bytes: a run of 1,000 nodes writes about 3 MiB.
const LARGEST: u64 = 8 * 1024 * 1024;
/// Older files that are kept.
const OLDER: usize = 2;

/// An open log file.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl LogFile {
    /// Goes on with the file of this directory, or makes it.
    pub(super) fn open(directory: &Path) -> Result<Self, Problem> {
        let path = directory.join(NAME);
        let failed = |error: io::Error| {
            let attempt = "choose a folder that you can write to with `--state DIR`";
            Problem::while_doing("opening the log").to(path.display()).wrong_input(error).try_this(attempt)
        };
        let file = private(&path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok(Self { file, size, path })
    }

    /// Where the newest lines are.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the file aside, the oldest one away, and begins a new one.
    fn turn(&mut self) -> io::Result<()> {
        let older = |number: usize| self.path.with_file_name(format!("{NAME}.{number}"));
        for number in (1..OLDER).rev() {
            let _ = std::fs::rename(older(number), older(number + 1));
        }
        std::fs::rename(&self.path, older(1))?;
        (self.file, self.size) = (private(&self.path)?, 0);
        Ok(())
    }
}

impl Write for LogFile {
    /// Writes whole lines. What cannot be written is lost: a disk that is full now may have room later.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.size >= LARGEST {
            let _ = self.turn();
        }
        if self.file.write_all(lines).is_ok() {
            self.size += lines.len() as u64;
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_log_is_private_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::open(folder.path()).unwrap();
        for file in 0..4 {
            log.write_all(format!("file {file}\n").as_bytes()).unwrap();
            log.size = LARGEST;
        }
        drop(log);
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        assert_eq!(names.len(), OLDER + 1, "{names:?}");
        let texts: Vec<String> = names.iter().map(|name| std::fs::read_to_string(name).unwrap()).collect();
        assert_eq!(texts, ["file 3\n", "file 2\n", "file 1\n"], "the newest are kept");
        for name in names {
            assert_eq!(name.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let mut again = LogFile::open(folder.path()).unwrap();
        again.write_all(b"more\n").unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join(NAME)).unwrap(), "file 3\nmore\n", "it goes on");
    }
}
