//! The log on disk: one JSON line an effect, behind a header line.

use super::effect::Record;
use super::{SCHEMA, WorldError};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// File name below the state directory.
pub const FILE: &str = "world.ndjson";

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: u32,
    seed: u64,
}

/// An open log. A line is written in one call before its effect can be seen, so a killed process loses nothing. It is not
/// synchronised to the disk: a rehearsal does not survive a power cut.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

/// What a log held when it was opened.
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) records: Vec<Record>,
    pub(super) note: Option<String>,
}

impl Log {
    /// Opens it, or makes it for its owner alone: the state directory may be one that others can read.
    pub(super) fn open(directory: &Path, seed: u64) -> Result<Opened, WorldError> {
        std::fs::create_dir_all(directory).map_err(|e| WorldError::file(directory, &e))?;
        let path = directory.join(FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| WorldError::file(&path, &e))?;
        let bytes = std::fs::read(&path).map_err(|e| WorldError::file(&path, &e))?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let note = (whole < bytes.len())
            .then(|| format!("{}: the last line was cut off and is dropped: it had not happened yet", path.display()));
        let kept = bytes.get(..whole).unwrap_or_default();
        let records = if kept.is_empty() { Vec::new() } else { read(&path, kept, seed)? };
        let end = u64::try_from(whole).unwrap_or(u64::MAX);
        file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))).map_err(|e| WorldError::file(&path, &e))?;
        let mut log = Self { path, file, length: end };
        if kept.is_empty() {
            log.append(&Header { schema: SCHEMA, seed })?;
        }
        Ok(Opened { log, records, note })
    }

    /// Appends one line; on failure nothing of it stays.
    pub(super) fn append<T: Serialize>(&mut self, line: &T) -> Result<(), WorldError> {
        let mut bytes =
            serde_json::to_vec(line).map_err(|e| WorldError::Damaged(self.path.clone(), 0, e.to_string()))?;
        bytes.push(b'\n');
        // Two processes never write at once; one that slept while another went on finds a longer file, and writes nothing.
        self.file.lock().map_err(|e| WorldError::file(&self.path, &e))?;
        let appended = self.append_bytes(&bytes);
        let unlocked = self.file.unlock().map_err(|e| WorldError::file(&self.path, &e));
        appended.and(unlocked)
    }

    fn append_bytes(&mut self, bytes: &[u8]) -> Result<(), WorldError> {
        let found = self.file.metadata().map_err(|e| WorldError::file(&self.path, &e))?.len();
        if found != self.length {
            let happened = std::io::Error::other("another process wrote there meanwhile; nothing more is written");
            return Err(WorldError::file(&self.path, &happened));
        }
        if let Err(error) = self.file.write_all(bytes) {
            // The first failure is the one to tell; a tail that stays is dropped by the next reader.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(WorldError::file(&self.path, &error));
        }
        self.length += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }
}

fn read(path: &Path, bytes: &[u8], seed: u64) -> Result<Vec<Record>, WorldError> {
    let damaged = |line: usize, what: String| WorldError::Damaged(path.to_owned(), line, what);
    let text = std::str::from_utf8(bytes).map_err(|e| damaged(0, e.to_string()))?;
    let mut lines = text.lines();
    let header: Header =
        serde_json::from_str(lines.next().unwrap_or_default()).map_err(|e| damaged(1, e.to_string()))?;
    if header.schema > SCHEMA {
        return Err(WorldError::Newer(path.to_owned(), header.schema));
    }
    if header.seed != seed {
        return Err(WorldError::OtherSeed { path: path.to_owned(), made: header.seed, wanted: seed });
    }
    let mut records: Vec<Record> = Vec::new();
    for (index, line) in lines.enumerate() {
        let record: Record = serde_json::from_str(line).map_err(|e| damaged(index + 2, e.to_string()))?;
        let expected = records.len() as u64 + 1;
        if record.seq != expected {
            return Err(damaged(index + 2, format!("record {} stands where {expected} should", record.seq)));
        }
        records.push(record);
    }
    Ok(records)
}
