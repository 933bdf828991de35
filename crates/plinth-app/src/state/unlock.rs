//! Freeing a lock that nobody holds any more, although its times say otherwise: the clock of its holder, or this one, was wrong.

use super::inspect;
use plinth_model::Problem;
use plinth_run::journal::Lock;
use plinth_run::{Journal, JournalError, LockOwner};
use plinth_world::{Clock, SystemClock, deadlines};
use std::path::{Path, PathBuf};

/// A lock that somebody holds, or held.
pub struct Held {
    directory: PathBuf,
    /// The lock as it was when it was looked at.
    pub lock: Lock,
}

impl Held {
    /// The lock of a state directory; none when it is free.
    ///
    /// # Errors
    /// When the directory or its journal cannot be used.
    pub fn of(directory: &Path) -> Result<Option<Self>, Problem> {
        inspect(directory)?;
        let lock = lock(directory)?;
        Ok(lock.map(|lock| Self { directory: directory.to_path_buf(), lock }))
    }

    /// Why the next run would take it over by itself; none when it would not.
    #[must_use]
    pub fn lapsed(&self) -> Option<String> {
        self.lock.lapsed(SystemClock::new().now(), &LockOwner::current())
    }

    /// Watches as long as a lock lasts, whatever the clocks say: whoever lives renews it several times meanwhile. Answers whether
    /// somebody did, or gave it back.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn shows_life(&self) -> Result<bool, Problem> {
        let clock = SystemClock::new();
        while clock.elapsed() < deadlines::LOCK_EXPIRY {
            clock.sleep(deadlines::UNLOCK_LOOK).await;
            let same = |now: &Lock| now.run == self.lock.run && now.heartbeat == self.lock.heartbeat;
            if !lock(&self.directory)?.as_ref().is_some_and(same) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Frees it, if it still is the one that was looked at. Its holder, should it live after all, writes nothing more.
    ///
    /// # Errors
    /// Exit 5 when it was renewed or taken since; otherwise when the journal cannot be written.
    pub fn free(self) -> Result<(), Problem> {
        if Journal::open(&self.directory)?.free(&self.lock)? {
            return Ok(());
        }
        Err(self.lives("it was renewed or taken just now"))
    }

    /// The refusal to free it.
    #[must_use]
    pub fn lives(&self, happened: &str) -> Problem {
        Problem::while_doing("freeing the site's lock in")
            .to(self.directory.display())
            .locked(format!("{}: {happened}; nothing was changed", self.lock.owner))
            .try_this("wait for that run to end (`plinth status` shows it), or stop it there")
    }
}

fn lock(directory: &Path) -> Result<Option<Lock>, JournalError> {
    Journal::open_read_only(directory)?.map_or(Ok(None), |reader| reader.lock())
}
