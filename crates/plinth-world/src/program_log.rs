//! All words of a program that plinth runs, kept in the state directory: mode 0600, secrets taken out. Of one that runs for long they are
//! written as they come, of a short one when it has failed.

use crate::private_file;
use crate::secrets::Secrets;
use plinth_model::text::visible_lines;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How the time in UTC at which the program began stands at the beginning of its log's name, before a `-`.
pub const LOG_TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

/// Longest log, bytes; what comes behind is read and forgotten. The log of a play over a thousand nodes has some tens of MiB.
const LARGEST: usize = 256 << 20;
/// Last lines of a stream that are remembered.
const LINES: usize = 12;
/// Longest line that is remembered, characters.
const SHOWN: usize = 600;
/// Longest line that is waited for, bytes; a longer one is written in pieces.
const LONGEST: usize = 256 << 10;

/// A log. Clones write into the same one: a program has two streams.
#[derive(Clone)]
pub struct ProgramLog {
    path: PathBuf,
    file: Arc<Mutex<Written>>,
}

struct Written {
    file: File,
    room: usize,
}

impl ProgramLog {
    /// A new log in this folder; the oldest ones go, so that `kept` are left.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn begin(folder: &Path, name: &str, kept: usize) -> io::Result<Self> {
        private_file::make_directory(folder)?;
        let mut old: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?;
        old.sort();
        for path in old.iter().take((old.len() + 1).saturating_sub(kept)) {
            // Another program's log may be begun at this moment, and clear the same.
            let _gone = fs::remove_file(path);
        }
        let path = folder.join(name);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        Ok(Self { path, file: Arc::new(Mutex::new(Written { file, room: LARGEST })) })
    }

    /// File that the program's output is written to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a stream to its end; gives its last lines, oldest first.
    pub async fn take(self, stream: Option<impl AsyncRead + Unpin>, secrets: Arc<dyn Secrets>) -> Vec<String> {
        let mut tail = VecDeque::new();
        let Some(mut stream) = stream else { return Vec::new() };
        let (mut pending, mut piece) = (Vec::new(), vec![0; 16 << 10]);
        loop {
            let read = stream.read(&mut piece).await.unwrap_or(0);
            pending.extend_from_slice(piece.get(..read).unwrap_or_default());
            // Whole lines, so that no secret is cut in two.
            let whole = match pending.iter().rposition(|byte| *byte == b'\n') {
                Some(end) if read > 0 => end + 1,
                _ if read == 0 || pending.len() > LONGEST => pending.len(),
                _ => 0,
            };
            let rest = pending.split_off(whole);
            self.write(&secrets.redact(&String::from_utf8_lossy(&pending)), &mut tail);
            pending = rest;
            if read == 0 {
                return tail.into();
            }
        }
    }

    /// A new log of a program that has ended, with all that is told of it; answers where. The program is judged by how it ended: without
    /// a place for its words, the last ones are all that is told of it.
    pub fn keep(folder: &Path, name: &str, kept: usize, text: &str, secrets: &dyn Secrets) -> Option<String> {
        let log = Self::begin(folder, name, kept)
            .inspect_err(|error| tracing::warn!(%error, name, "the log of what failed cannot be written"))
            .ok()?;
        log.write(&secrets.redact(text), &mut VecDeque::new());
        Some(log.path.display().to_string())
    }

    /// A full disk must not end the program.
    fn write(&self, text: &str, tail: &mut VecDeque<String>) {
        let text = visible_lines(text);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            if tail.len() == LINES {
                tail.pop_front();
            }
            tail.push_back(line.chars().take(SHOWN).collect());
        }
        let mut written = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = text.as_bytes().get(..written.room.min(text.len())).unwrap_or_default();
        written.room -= bytes.len();
        let _lost_words = written.file.write_all(bytes);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::secrets::MemorySecrets;
    use plinth_model::{Secret, SecretRef};

    async fn taken(log: &ProgramLog, text: &[u8]) -> Vec<String> {
        let word = (SecretRef::Env("WORD".to_owned()), Secret::new("open-sesame".to_owned()));
        log.clone().take(Some(text), Arc::new(MemorySecrets::of([word]))).await
    }

    #[tokio::test]
    async fn words_are_kept_without_secrets_and_only_so_many_logs() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("logs");
        for number in 0..8 {
            ProgramLog::begin(&folder, &format!("{number:03}.log"), 5).unwrap();
        }
        let log = ProgramLog::begin(&folder, "900.log", 5).unwrap();
        let tail = taken(&log, b"one\nsays open-sesame\n\nlast without end").await;
        assert_eq!(tail, ["one", "says [secret]", "last without end"]);
        let written = fs::read_to_string(log.path()).unwrap();
        assert_eq!(written, "one\nsays [secret]\n\nlast without end");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 5);
    }

    #[tokio::test]
    async fn a_secret_that_comes_in_two_pieces_is_taken_out_too() {
        let state = tempfile::tempdir().unwrap();
        let log = ProgramLog::begin(state.path(), "a.log", 5).unwrap();
        // The pieces that are read end in the middle of the word, and the line before it is long.
        let text = format!("{}\n{}open-sesame\n", "x".repeat(LONGEST), "y".repeat((16 << 10) - 5));
        taken(&log, text.as_bytes()).await;
        let written = fs::read_to_string(log.path()).unwrap();
        assert!(written.ends_with("y[secret]\n") && !written.contains("sesame"));
    }

    #[tokio::test]
    async fn only_the_last_lines_are_remembered_and_they_are_short() {
        let state = tempfile::tempdir().unwrap();
        let log = ProgramLog::begin(state.path(), "a.log", 5).unwrap();
        let text: String = (0..40).map(|n| format!("{n} {}\n", "z".repeat(2 * SHOWN))).collect();
        let tail = taken(&log, text.as_bytes()).await;
        assert_eq!((tail.len(), tail[0].split(' ').next()), (LINES, Some("28")));
        assert!(tail.iter().all(|line| line.chars().count() == SHOWN));
    }
}
