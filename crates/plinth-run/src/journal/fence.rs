//! Whether the lock is still ours, asked before anything goes on; and the thread that renews it.
//!
//! That thread renews it whatever else goes on: a terminal, a question, a slow disk or a long step do not hold it up. The executor renews
//! it too before it goes on after a silence, which is the look that it needs then. A process
//! that was stopped (SIGSTOP, a suspended machine, a paused container) wakes in the middle of what it did. Then the lock counts as ours
//! only after a look, because somebody else may have taken it over meanwhile.

use super::{JournalError, Lock, lock, schema};
use jiff::Timestamp;
use plinth_world::{Clock, deadlines};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What is known of our lock without a look. Clones are the same one.
#[derive(Clone, Default)]
pub struct Fence(Option<Arc<Known>>);

struct Known {
    clock: Arc<dyn Clock>,
    /// When it was ours for certain, by the clock that cannot go back and by the one that also counts while the machine sleeps.
    renewed: Mutex<(Instant, Timestamp)>,
    /// It was seen to be lost.
    lost: watch::Sender<bool>,
}

impl Fence {
    /// Trusts a lock that was taken just now.
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        let clock = Arc::clone(clock);
        let renewed = Mutex::new((Instant::now(), clock.now()));
        Self(Some(Arc::new(Known { clock, renewed, lost: watch::Sender::new(false) })))
    }

    /// Whether the lock is ours for certain; otherwise it must be looked at before anything goes on.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        let Some(known) = &self.0 else { return true };
        let (at, time) = *known.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = known.clock.now().duration_since(time);
        !*known.lost.borrow()
            && at.elapsed() < deadlines::LOCK_SURE
            && Duration::try_from(passed).is_ok_and(|passed| passed < deadlines::LOCK_SURE)
    }

    /// Waits until the lock was seen to be lost; for ever, as long as it is ours.
    pub async fn lost(&self) {
        if let Some(known) = &self.0
            && known.lost.subscribe().wait_for(|lost| *lost).await.is_ok()
        {
            return;
        }
        futures::future::pending::<()>().await;
    }

    /// It was ours just now.
    pub(super) fn renewed(&self) {
        if let Some(known) = &self.0 {
            let now = (Instant::now(), known.clock.now());
            *known.renewed.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }

    fn lose(&self) {
        if let Some(known) = &self.0 {
            known.lost.send_replace(true);
        }
    }
}

/// The thread that renews a lock. It ends when this is dropped.
pub(super) struct Keeper {
    _end: mpsc::Sender<()>,
}

impl Keeper {
    /// Starts it, with a connection of its own; it renews after every pause.
    pub(super) fn start(
        path: &Path,
        lock: Lock,
        (clock, fence): (Arc<dyn Clock>, Fence),
        pause: Duration,
    ) -> Result<Self, JournalError> {
        let storage = |happened: String| JournalError::Storage { path: path.to_owned(), happened };
        let (end, ended) = mpsc::channel();
        let keeping = Keeping { connection: schema::connect(path)?, path: path.to_owned(), lock, clock, fence, pause };
        let thread = std::thread::Builder::new().name("lock".to_owned()).spawn(move || keeping.go(&ended));
        thread.map_err(|error| storage(format!("no thread can be started to renew the lock: {error}")))?;
        Ok(Self { _end: end })
    }
}

struct Keeping {
    connection: Connection,
    path: PathBuf,
    lock: Lock,
    clock: Arc<dyn Clock>,
    fence: Fence,
    pause: Duration,
}

impl Keeping {
    fn go(&self, ended: &mpsc::Receiver<()>) {
        let mut wait = self.pause;
        while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = match self.renew() {
                Ok(true) => self.pause,
                Ok(false) => return self.fence.lose(),
                // The disk may have room again; until then the lock runs out, and whoever goes on looks at it first.
                Err(error) => {
                    tracing::warn!(%error, path = %self.path.display(), "the lock could not be renewed");
                    deadlines::LOCK_AGAIN
                }
            };
        }
    }

    /// Whether the lock was ours.
    fn renew(&self) -> rusqlite::Result<bool> {
        let renewed = lock::renew(&self.connection, self.lock.acquired, &self.lock.owner, self.clock.now())?;
        if renewed {
            self.fence.renewed();
        }
        Ok(renewed)
    }
}
