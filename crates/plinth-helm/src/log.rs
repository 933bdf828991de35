//! All words of helm, kept in the state directory: mode 0600, secrets taken out.

use plinth_model::text::visible;
use plinth_world::private_file;
use plinth_world::secrets::Secrets;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Folder of the logs of helm, below the state directory.
pub const LOGS: &str = "helm/logs";
/// How the time in UTC at which helm began stands at the beginning of its log's name, before a `-`.
pub const LOG_TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

/// Logs that are kept: three runs over a whole platform.
const KEPT: usize = 60;
/// Longest log, bytes; what comes behind is read and forgotten.
const LARGEST: usize = 16 << 20;
/// Last lines of a stream that are remembered.
const LINES: usize = 12;
/// Longest line that is shown, characters.
const SHOWN: usize = 600;
/// Longest line, bytes; a longer one is cut in two.
const LONGEST: usize = 256 << 10;

/// A log.
#[derive(Clone)]
pub(super) struct Log {
    path: PathBuf,
    file: Arc<Mutex<Written>>,
}

struct Written {
    file: File,
    room: usize,
}

impl Log {
    /// A new log; the oldest ones go.
    pub(super) fn begin(state: &Path, name: &str) -> io::Result<Self> {
        let folder = state.join(LOGS);
        private_file::make_directory(&folder)?;
        let mut old: Vec<PathBuf> =
            fs::read_dir(&folder)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?;
        old.sort();
        for path in old.iter().take((old.len() + 1).saturating_sub(KEPT)) {
            // Another run of helm may clear the same at this moment.
            let _gone = fs::remove_file(path);
        }
        let path = folder.join(name);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        Ok(Self { path, file: Arc::new(Mutex::new(Written { file, room: LARGEST })) })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a stream to its end; gives its last lines, oldest first.
    pub(super) async fn take(self, stream: Option<impl AsyncRead + Unpin>, secrets: Arc<dyn Secrets>) -> Vec<String> {
        let mut tail = VecDeque::new();
        let Some(mut stream) = stream else { return Vec::new() };
        let (mut pending, mut piece) = (Vec::new(), vec![0; 16 << 10]);
        loop {
            let read = stream.read(&mut piece).await.unwrap_or(0);
            pending.extend_from_slice(piece.get(..read).unwrap_or_default());
            let whole = match pending.iter().rposition(|byte| *byte == b'\n') {
                _ if read == 0 || pending.len() > LONGEST => pending.len(),
                Some(end) => end + 1,
                None => 0,
            };
            let rest = pending.split_off(whole);
            self.write(&secrets.redact(&String::from_utf8_lossy(&pending)), &mut tail);
            pending = rest;
            if read == 0 {
                return tail.into();
            }
        }
    }

    /// A full disk must not end helm.
    fn write(&self, text: &str, tail: &mut VecDeque<String>) {
        let text = visible(text);
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
