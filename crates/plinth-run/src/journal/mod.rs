//! The journal: durable, append-only events of all runs, one SQLite database per site. The source for continuing a run and for
//! every view of one.
//!
//! The sequence number orders events; times are for people only, so a clock that goes backwards breaks nothing. What is
//! recorded is never changed; the oldest runs are removed whole when there are too many ([`Retention`]). The journal is a memory, not an
//! authority: every step is probed again before it acts.
//!
//! Everything but progress is stored, in the transaction that makes the intents and outcomes of the same moment durable
//! (`docs/decisions/0014-one-record-of-a-run.md`). Only a [`LockedJournal`] can write.

mod error;
mod events;
mod fence;
mod history;
mod hold;
mod lock;
mod locked;
mod memory;
mod old;
mod owner;
mod plans;
mod reader;
mod remembered;
mod retention;
mod schema;
mod store;

pub use error::JournalError;
pub use fence::Fence;
pub use history::About;
pub use lock::Lock;
pub use locked::LockedJournal;
pub use memory::{Impossible, LastRun, Memory, StepMemory};
pub use owner::{LockOwner, ProcessIdentity};
pub use reader::{JournalReader, StoredPlan, WholeRun};
pub use retention::Retention;
pub use schema::Durability;
pub use store::{CrashAfter, Store};

use events::Written;
use plinth_model::Problem;
use plinth_world::Clock;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file in the site's state directory.
pub const FILE: &str = "journal.db";

/// A journal that was opened. It can be read, and locked.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    memory: Memory,
    /// How far the last run was written when the memory was read.
    read: Written,
    /// Device and inode: whether the file at the path still is the one that was opened.
    file: (u64, u64),
}

impl Journal {
    /// Opens the journal of a site's state directory, making both when they are not there. Reads all of it.
    ///
    /// # Errors
    /// When the file is something else, of a newer schema, or does not hold; nothing is changed then.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        Self::open_with(dir, Durability::Power)
    }

    /// Opens with a chosen durability.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_with(dir: &Path, durability: Durability) -> Result<Self, JournalError> {
        let path = dir.join(FILE);
        std::fs::create_dir_all(dir)
            .map_err(|error| JournalError::Storage { path: path.clone(), happened: error.to_string() })?;
        let connection = schema::open(&path, durability)?;
        let file = schema::identity(&path)?;
        let mut journal = Self { connection, path, memory: Memory::default(), read: Written::default(), file };
        journal.read_again()?;
        Ok(journal)
    }

    /// Opens for reading, also while a run is on; none when there is no journal yet.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_read_only(dir: &Path) -> Result<Option<JournalReader>, JournalError> {
        JournalReader::open(&dir.join(FILE))
    }

    /// Frees a lock, if it still is exactly this one: the same run, not renewed since. Answers whether it was. Its holder, should it
    /// live, writes nothing more.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn free(&self, lock: &Lock) -> Result<bool, JournalError> {
        let freed = self.connection.execute(
            "DELETE FROM lock WHERE run = ?1 AND heartbeat = ?2",
            [lock.run.as_str(), &lock.heartbeat.to_string()],
        );
        Ok(freed.map_err(|error| JournalError::of(&self.path, &error))? == 1)
    }

    /// An error when the file was removed or replaced since it was opened: what is written now nobody would find.
    fn same_file(&self) -> Result<(), JournalError> {
        match schema::identity(&self.path) {
            Ok(file) if file == self.file => Ok(()),
            _ => Err(JournalError::Gone { path: self.path.clone() }),
        }
    }

    /// Takes the site's lock for a run, and reads what was recorded since the journal was opened. `clock` stamps the lock for
    /// as long as it is held; other processes compare with their own, so it is the machine's clock, in rehearsals too.
    ///
    /// # Errors
    /// Exit 5 when somebody else holds it; otherwise when the journal cannot be used.
    pub fn lock(mut self, owner: &LockOwner, run: &str, clock: &Arc<dyn Clock>) -> Result<LockedJournal, Problem> {
        let sql = |path: &Path, error: &rusqlite::Error| Problem::from(JournalError::of(path, error));
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| sql(&self.path, &error))?;
        let (hold, took_over) = hold::Hold::take(&transaction, &self.path, (owner, run, clock))?;
        schema::learn(&transaction).map_err(|error| sql(&self.path, &error))?;
        transaction.commit().map_err(|error| sql(&self.path, &error))?;
        let mut locked = LockedJournal::new(self, hold, took_over);
        locked.catch_up()?;
        Ok(locked)
    }

    /// What earlier runs left.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Reads everything once more, also what is only told.
    ///
    /// # Errors
    /// The first event that does not hold.
    pub fn verify(&self) -> Result<(), JournalError> {
        let sql = |error: rusqlite::Error| JournalError::of(&self.path, &error);
        let snapshot = self.connection.unchecked_transaction().map_err(sql)?;
        events::memory(&snapshot, &self.path)?;
        for run in events::runs(&snapshot).map_err(sql)? {
            events::since(&snapshot, &self.path, &run, 0)?;
        }
        Ok(())
    }

    /// How many records, that is durable events, there are in all runs.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn records(&self) -> Result<i64, JournalError> {
        events::records(&self.connection).map_err(|error| JournalError::of(&self.path, &error))
    }

    /// Limits the file to so many pages of 4 KiB: a disk that becomes full, for rehearsals and tests. Holds for this process.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn limit_pages(&self, pages: u32) -> Result<(), JournalError> {
        self.connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .map_err(|error| JournalError::of(&self.path, &error))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the memory, unless nothing was written since it was read.
    fn read_again(&mut self) -> Result<(), JournalError> {
        let sql = |error: rusqlite::Error| JournalError::of(&self.path, &error);
        let snapshot = self.connection.unchecked_transaction().map_err(sql)?;
        let read = events::written(&snapshot).map_err(sql)?;
        if read != self.read {
            self.memory = events::memory(&snapshot, &self.path)?;
            self.read = read;
        }
        Ok(())
    }
}
