//! The raw words of a play, kept in the state directory: mode 0600, secrets taken out.

use crate::watch::cut;
use plinth_model::text::visible;
use plinth_world::private_file;
use plinth_world::secrets::Secrets;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Folder of the logs of plays, below the state directory.
pub const LOGS: &str = "kubespray/logs";
/// How the time in UTC at which a play began stands at the beginning of its log's name, before a `-`.
pub const LOG_TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

/// Logs that are kept.
const KEPT: usize = 20;
/// Last lines of a stream that are remembered.
const LINES: usize = 12;
/// Longest line, bytes; a longer one is cut in two.
const LONGEST: usize = 256 * 1024;

/// A log.
#[derive(Clone)]
pub(super) struct Log {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

/// The last lines of a stream.
#[derive(Debug, Default)]
pub(super) struct Tail(VecDeque<String>);

impl Tail {
    fn push(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        self.0.push_back(cut(line, 300));
    }

    /// Oldest first.
    pub(super) fn lines(self) -> Vec<String> {
        self.0.into()
    }

    /// Whether nothing was said.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Log {
    /// A new log; the oldest ones go.
    pub(super) fn begin(state: &Path, name: &str) -> io::Result<Self> {
        let folder = state.join(LOGS);
        private_file::make_directory(&folder)?;
        let mut old: Vec<PathBuf> =
            fs::read_dir(&folder)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?;
        old.sort();
        for path in old.iter().take(old.len().saturating_sub(KEPT - 1)) {
            fs::remove_file(path)?;
        }
        let path = folder.join(name);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        Ok(Self { path, file: Arc::new(Mutex::new(file)) })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a stream to its end.
    pub(super) async fn take(self, stream: Option<impl AsyncRead + Unpin>, secrets: Arc<dyn Secrets>) -> Tail {
        let mut tail = Tail::default();
        let Some(mut stream) = stream else { return tail };
        let (mut pending, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
        loop {
            let read = stream.read(&mut piece).await.unwrap_or(0);
            pending.extend_from_slice(piece.get(..read).unwrap_or_default());
            let whole = match pending.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None if read == 0 || pending.len() > LONGEST => pending.len(),
                None => 0,
            };
            let rest = pending.split_off(whole);
            self.write(&secrets.redact(&String::from_utf8_lossy(&pending)), &mut tail);
            pending = rest;
            if read == 0 {
                self.write(&secrets.redact(&String::from_utf8_lossy(&pending)), &mut tail);
                return tail;
            }
        }
    }

    /// A full disk must not end the play.
    fn write(&self, text: &str, tail: &mut Tail) {
        let text = visible(text);
        text.lines().for_each(|line| tail.push(line));
        if let Ok(mut file) = self.file.lock() {
            let _lost_words = file.write_all(text.as_bytes());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_keystore::SiteSecrets;
    use plinth_model::{Secret, SecretRef};

    #[tokio::test]
    async fn words_are_kept_without_secrets_and_only_so_many_logs() {
        let state = tempfile::tempdir().unwrap();
        let secrets = SiteSecrets::new(state.path());
        let reference = SecretRef::Generated("word".to_owned());
        secrets.keep(&reference, &Secret::new("open-sesame".to_owned())).unwrap();
        secrets.get(&reference).unwrap();
        let secrets: Arc<dyn Secrets> = Arc::new(secrets);
        for number in 0..KEPT + 3 {
            Log::begin(state.path(), &format!("{number:03}.log")).unwrap();
        }
        let log = Log::begin(state.path(), "900.log").unwrap();
        let path = log.path().to_path_buf();
        let text: &[u8] = b"one\nsays open-sesame\nlast without end";
        let tail = log.take(Some(text), Arc::clone(&secrets)).await;
        assert!(!tail.is_empty());
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.starts_with("one\nsays ") && written.ends_with("last without end"), "{written}");
        assert!(!written.contains("open-sesame"));
        assert_eq!(tail.lines().last().map(String::as_str), Some("last without end"));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), KEPT);
    }
}
