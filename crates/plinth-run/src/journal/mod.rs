//! The journal: durable, append-only, one SQLite database per site. The source for continuing a run and for `status`.
//!
//! The sequence number orders facts; times are for people only, so a clock that goes backwards breaks nothing. What is
//! recorded is never changed. The journal is a memory, not an authority: every step is probed again before it acts.

mod chain;
mod error;
mod history;
mod record;
mod recorder;
mod schema;

pub use error::JournalError;
pub use history::{Advance, History, Impossible, RunHistory, Standing, StepHistory};
pub use record::{Fact, Record};
pub use recorder::{CrashAfter, Recorder};
pub use schema::Durability;

use crate::lock::{HeldLock, Lock};
use chain::Tail;
use plinth_model::{Outcome, Plan};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};

/// Name of the file in the site's state directory.
pub const FILE: &str = "journal.db";

/// A journal open for writing.
#[derive(Debug)]
pub struct Journal {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) held: Option<HeldLock>,
    history: History,
    tail: Tail,
}

impl Journal {
    /// Opens the journal of a site's state directory, making both when they are not there. Walks the whole chain.
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
        let mut history = History::default();
        let tail = chain::read(&connection, &path, &Tail::default(), &mut history)?;
        Ok(Self { connection, path, held: None, history, tail })
    }

    /// Opens for reading, also while a run is on; none when there is no journal yet.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_read_only(dir: &Path) -> Result<Option<JournalReader>, JournalError> {
        let path = dir.join(FILE);
        let Some(connection) = schema::open_read_only(&path)? else { return Ok(None) };
        let mut history = History::default();
        chain::read(&connection, &path, &Tail::default(), &mut history)?;
        Ok(Some(JournalReader { connection, path, history }))
    }

    /// Everything recorded so far, folded.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Makes all records durable in one transaction, or none. Durable when it returns.
    ///
    /// # Errors
    /// When a record cannot follow, the disk is full, our lock was taken over, or somebody else wrote. Nothing is written then.
    pub fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        if records.is_empty() {
            return Ok(());
        }
        let advance = self.history.advance(records).map_err(|(_, error)| error)?;
        self.tail = self.write(records)?;
        self.history.take(advance);
        Ok(())
    }

    fn write(&mut self, records: &[Record]) -> Result<Tail, JournalError> {
        let path = &self.path;
        let sql = |error: rusqlite::Error| JournalError::of(path, &error);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        if let Some(held) = &self.held {
            held.check(Lock::read(&transaction).map_err(sql)?)?;
        }
        if Tail::recorded(&transaction).map_err(sql)?.as_ref() != Some(&self.tail) {
            return Err(JournalError::MovedOn { path: path.clone() });
        }
        let tail = chain::write(&transaction, &self.tail, records).map_err(sql)?;
        for record in records {
            write_run(&transaction, record).map_err(sql)?;
        }
        transaction.commit().map_err(sql)?;
        Ok(tail)
    }

    /// Walks the whole chain again.
    ///
    /// # Errors
    /// The first fact that does not hold.
    pub fn verify(&self) -> Result<(), JournalError> {
        chain::read(&self.connection, &self.path, &Tail::default(), &mut History::default()).map(drop)
    }

    /// Takes in what another process wrote before we took the lock.
    pub(crate) fn catch_up(&mut self) -> Result<(), JournalError> {
        self.tail = chain::read(&self.connection, &self.path, &self.tail, &mut self.history)?;
        Ok(())
    }

    /// Keeps the text of a plan under its hash. Harmless to repeat.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError> {
        let body = serde_json::to_string(plan)
            .map_err(|error| JournalError::Storage { path: self.path.clone(), happened: error.to_string() })?;
        self.connection
            .execute("INSERT OR IGNORE INTO plans VALUES (?1, ?2)", params![plan.hash.as_str(), body])
            .map(drop)
            .map_err(|error| JournalError::of(&self.path, &error))
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

    /// How many facts were recorded so far.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn records(&self) -> Result<i64, JournalError> {
        self.connection
            .query_row("SELECT count(*) FROM facts", [], |row| row.get(0))
            .map_err(|error| JournalError::of(&self.path, &error))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Keeps the table of runs beside the facts.
fn write_run(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    let at = record.at.to_string();
    match &record.fact {
        Fact::RunStarted { plan, site, owner, rehearsal, .. } => transaction
            .prepare_cached("INSERT INTO runs VALUES (?1, ?2, ?3, ?4, NULL, NULL, ?5, ?6)")?
            .execute(params![record.run, plan.as_str(), site.as_str(), at, owner, rehearsal])?,
        Fact::RunStopped { .. } => end_run(transaction, &record.run, &at, Outcome::Stopped)?,
        Fact::RunFinished { outcome, .. } => end_run(transaction, &record.run, &at, *outcome)?,
        _ => 0,
    };
    Ok(())
}

fn end_run(transaction: &Transaction<'_>, run: &str, at: &str, outcome: Outcome) -> rusqlite::Result<usize> {
    let outcome = match outcome {
        Outcome::Done => "done",
        Outcome::Partly => "partly",
        Outcome::Stopped => "stopped",
    };
    transaction.execute("UPDATE runs SET ended = ?2, outcome = ?3 WHERE id = ?1", params![run, at, outcome])
}

/// A journal open for reading: what was recorded when it was opened.
#[derive(Debug)]
pub struct JournalReader {
    connection: Connection,
    path: PathBuf,
    history: History,
}

impl JournalReader {
    /// Everything recorded when it was opened, folded.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The site's lock now, if somebody holds it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lock(&self) -> Result<Option<Lock>, JournalError> {
        Lock::read(&self.connection).map_err(|error| JournalError::of(&self.path, &error))
    }

    /// The text of a plan that was run, by its hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn plan_text(&self, hash: &plinth_model::Digest) -> Result<Option<String>, JournalError> {
        use rusqlite::OptionalExtension as _;
        self.connection
            .query_row("SELECT body FROM plans WHERE hash = ?1", [hash.as_str()], |row| row.get(0))
            .optional()
            .map_err(|error| JournalError::of(&self.path, &error))
    }
}
