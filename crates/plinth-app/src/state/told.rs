//! Files in which a process tells others what moves, for `plinth status` in another terminal. The journal keeps none of it: it would be
//! written to the disk many times a second. A thread of its own replaces the file every few seconds: no work waits for a disk, only its
//! end waits for a write that is under way. The file goes with what it tells of.

use plinth_world::{deadlines, files, private_file};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

/// Largest file that is read, bytes: 1,000 steps that run at once.
const LARGEST: usize = 1024 * 1024;

/// What is told of a run.
#[derive(Serialize, Deserialize)]
struct Told<T> {
    schema: u32,
    run: String,
    #[serde(flatten)]
    what: T,
}

/// What is shared with the thread.
struct Shared<T> {
    told: Told<T>,
    changed: bool,
}

/// A file that is kept as long as this lives. Nothing is written before there is something to tell.
pub(super) struct TellingFile<T> {
    shared: Arc<Mutex<Shared<T>>>,
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    file: PathBuf,
}

impl<T: Serialize + Send + 'static> TellingFile<T> {
    /// Begins one that tells of a run.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn begin(file: PathBuf, run: &str, what: T) -> io::Result<Self> {
        let told = Told { schema: 1, run: run.to_owned(), what };
        let shared = Arc::new(Mutex::new(Shared { told, changed: false }));
        let (end, ended) = mpsc::channel();
        let keep = {
            let (shared, file) = (Arc::clone(&shared), file.clone());
            move || {
                while ended.recv_timeout(deadlines::PROGRESS_PACE) == Err(mpsc::RecvTimeoutError::Timeout) {
                    keep(&shared, &file);
                }
            }
        };
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(keep)?;
        Ok(Self { shared, end: Some(end), thread: Some(thread), file })
    }

    /// Changes what is told, also from elsewhere; `change` answers whether it did.
    pub(super) fn teller(&self) -> Teller<T> {
        Teller(Arc::clone(&self.shared))
    }

    /// Writes what changed now and not at the thread's next round.
    #[cfg(test)]
    pub(super) fn keep_now(&self) {
        keep(&self.shared, &self.file);
    }
}

impl<T> Drop for TellingFile<T> {
    /// Ends the thread, then removes the file: what it says is over.
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _gone_or_never_there = std::fs::remove_file(&self.file);
    }
}

/// Changes what a file tells.
pub(super) struct Teller<T>(Arc<Mutex<Shared<T>>>);

impl<T> Teller<T> {
    /// `change` answers whether it changed anything.
    pub(super) fn tell(&self, change: impl FnOnce(&mut T) -> bool) {
        let mut shared = lock(&self.0);
        shared.changed |= change(&mut shared.told.what);
    }
}

/// A disk that is full costs the view of others, and nothing else.
fn keep<T: Serialize>(shared: &Mutex<Shared<T>>, file: &Path) {
    let text = {
        let mut shared = lock(shared);
        if !std::mem::take(&mut shared.changed) {
            return;
        }
        serde_json::to_vec(&shared.told).map_err(io::Error::other)
    };
    if let Err(error) = text.and_then(|text| private_file::write(file, &text)) {
        tracing::debug!(%error, file = %file.display(), "what moves could not be kept for others");
    }
}

fn lock<T>(shared: &Mutex<Shared<T>>) -> MutexGuard<'_, Shared<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What such a file tells of this run; none when it tells of another one, or nobody keeps it.
pub(super) fn read<T: DeserializeOwned>(file: &Path, run: &str) -> Option<T> {
    let bytes = files::read_up_to(file, LARGEST).ok()?;
    let told: Told<T> = serde_json::from_slice(&bytes).ok()?;
    (told.run == run).then_some(told.what)
}
