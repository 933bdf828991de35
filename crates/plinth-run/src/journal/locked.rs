//! The journal while its lock is held: the only thing that can write.

use super::events::{self, Written};
use super::fence::{Fence, Keeper};
use super::hold::Hold;
use super::lock::Lock;
use super::retention::{self, Retention};
use super::{Journal, JournalError, plans};
use plinth_model::{Event, Plan};
use rusqlite::{Transaction, TransactionBehavior, params};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A journal whose lock this process holds, for one run after the other. Gives the lock back when it is dropped.
pub struct LockedJournal {
    /// Dropped first: nothing renews a lock that is given back.
    keeper: Option<Keeper>,
    journal: Journal,
    hold: Hold,
    took_over: Option<String>,
    written: Written,
}

impl LockedJournal {
    pub(super) fn new(journal: Journal, hold: Hold, took_over: Option<String>) -> Self {
        Self { keeper: None, journal, hold, took_over, written: Written::default() }
    }

    /// Takes in what another process wrote before we took the lock.
    pub(super) fn catch_up(&mut self) -> Result<(), JournalError> {
        self.journal.read_again()
    }

    /// Lets a thread of its own renew the lock from now on, so that nothing else can hold that up.
    ///
    /// # Errors
    /// When the journal cannot be opened once more, or no thread be started.
    pub fn keep_renewing(&mut self, pause: Duration) -> Result<(), JournalError> {
        let (path, connection) = (&self.journal.path, &self.journal.connection);
        let Some(lock) = Lock::read(connection).map_err(|error| JournalError::of(path, &error))? else {
            return self.hold.check(None);
        };
        let (clock, fence) = (std::sync::Arc::clone(self.hold.clock()), self.hold.fence().clone());
        self.keeper = Some(Keeper::start(path, lock, (clock, fence), pause)?);
        Ok(())
    }

    /// What is known of the lock without a look.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.hold.fence().clone()
    }

    /// Run that the lock was taken for.
    #[must_use]
    pub fn run(&self) -> &str {
        self.hold.run()
    }

    /// Gives the lock, and what is written from now on, to another run of this process.
    ///
    /// # Errors
    /// When the lock is not ours any more, or could not be written.
    pub fn begin(&mut self, run: &str) -> Result<(), JournalError> {
        self.hold.rename(&self.journal.connection, &self.journal.path, run)?;
        self.written = Written::default();
        Ok(())
    }

    /// From whom the lock was taken over and why, if it was.
    #[must_use]
    pub fn took_over(&self) -> Option<&str> {
        self.took_over.as_deref()
    }

    /// See [`super::Store::append`]. A run that lost its lock appends nothing.
    ///
    /// # Errors
    /// When an event cannot follow, the disk is full, or our lock was taken over. Nothing is written then.
    pub fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        if events.is_empty() {
            return Ok(());
        }
        self.journal.memory.check(self.hold.run(), events).map_err(|(_, error)| error)?;
        self.written = self.write(events)?;
        for event in events {
            self.journal.memory.take(self.hold.run(), event);
        }
        Ok(())
    }

    fn write(&mut self, events: &[Event]) -> Result<Written, JournalError> {
        self.journal.same_file()?;
        let (run, written) = (Arc::clone(self.hold.run()), self.written);
        self.committed(|transaction, path| {
            events::write(transaction, &run, events, written).map_err(|error| JournalError::of(path, &error))
        })
    }

    /// One transaction, in which the lock was seen to be ours.
    fn committed<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Path) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let path = &self.journal.path;
        let sql = |error: rusqlite::Error| JournalError::of(path, &error);
        let transaction =
            self.journal.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        self.hold.check(Lock::read(&transaction).map_err(sql)?)?;
        let done = work(&transaction, path)?;
        transaction.commit().map_err(sql)?;
        Ok(done)
    }

    /// Removes whole runs, the oldest first, until what is left fits, and answers how many were removed. A journal that fits costs two
    /// questions. Each run is a transaction of its own, so that others can write in between. Space that becomes free is written to again; the
    /// file does not become smaller.
    ///
    /// # Errors
    /// When the journal cannot be read or written, or the lock is not ours any more. The run it was at stays then, whole.
    pub fn retain(&mut self, retention: Retention) -> Result<u32, JournalError> {
        self.journal.same_file()?;
        let mut removed = 0;
        while self.committed(|transaction, path| retention::remove_one(transaction, path, retention))? {
            removed += 1;
        }
        Ok(removed)
    }

    /// Every event kept of this run behind `seq`, in order.
    ///
    /// # Errors
    /// When the database cannot be read, or the events do not hold.
    pub fn since(&self, seq: u64) -> Result<Vec<Event>, JournalError> {
        events::since(&self.journal.connection, &self.journal.path, self.hold.run(), seq)
    }

    /// Keeps the text of a plan under its hash. Harmless to repeat.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError> {
        let body = plans::pack(plan)
            .map_err(|error| JournalError::Storage { path: self.journal.path.clone(), happened: error.to_string() })?;
        self.committed(|transaction, path| {
            let row =
                transaction.execute("INSERT OR IGNORE INTO plans VALUES (?1, ?2)", params![plan.hash.as_str(), body]);
            row.map(drop).map_err(|error| JournalError::of(path, &error))
        })
    }

    /// Says that we are alive.
    ///
    /// # Errors
    /// When the lock is not ours any more, or could not be written.
    pub fn renew(&self) -> Result<(), JournalError> {
        self.journal.same_file()?;
        self.hold.renew(&self.journal.connection, &self.journal.path)
    }

    /// Releases the lock. Idempotent; does nothing if the lock was lost.
    ///
    /// # Errors
    /// When the journal cannot be written; the lock then runs out by itself.
    pub fn release(&self) -> Result<(), JournalError> {
        let released = self.hold.release(&self.journal.connection);
        released.map(drop).map_err(|error| JournalError::of(&self.journal.path, &error))
    }
}

impl std::fmt::Debug for LockedJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LockedJournal({:?})", self.hold)
    }
}

impl Deref for LockedJournal {
    type Target = Journal;
    fn deref(&self) -> &Journal {
        &self.journal
    }
}

impl Drop for LockedJournal {
    /// Releases the lock on every way out; when that fails it runs out by itself.
    fn drop(&mut self) {
        drop(self.keeper.take());
        let _ = self.release();
    }
}
