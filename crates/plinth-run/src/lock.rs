//! The site's lock: one run at a time, in the same database as the journal.
//!
//! A lock says who holds it, since when, when it was last renewed and when it runs out. One that ran out is taken over, and
//! so is one whose process is gone, which can only be known on the same host and of the same user: `/proc` may hide the
//! processes of others (mount option `hidepid`). Every append checks that the lock is still ours, so a process that slept too
//! long cannot write into somebody else's run.

use crate::journal::{Journal, JournalError};
use jiff::Timestamp;
use plinth_model::{Exit, Problem};
use plinth_world::{Clock, deadlines};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOwner {
    /// Login name.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
}

impl LockOwner {
    /// This process.
    #[must_use]
    pub fn current() -> Self {
        let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
        Self {
            user: name("USER").or_else(|| name("LOGNAME")).unwrap_or_else(|| "unknown".to_owned()),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
        }
    }

    /// Whether the process certainly is gone. Known only on the same host, of the same user, and only on Linux.
    fn gone(&self, ours: &LockOwner) -> bool {
        cfg!(target_os = "linux")
            && self.host == ours.host
            && self.user == ours.user
            && self.pid != ours.pid
            && Path::new("/proc/self").exists()
            && !Path::new("/proc").join(self.pid.to_string()).exists()
    }
}

impl fmt::Display for LockOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} (process {})", self.user, self.host, self.pid)
    }
}

/// A lock as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Run it was taken for.
    pub run: String,
    /// Who.
    pub owner: LockOwner,
    /// Since when.
    pub acquired: Timestamp,
    /// Last renewal.
    pub heartbeat: Timestamp,
    /// When it runs out unless renewed.
    pub expires: Timestamp,
    /// From whom it was taken over, and why.
    pub note: Option<String>,
}

impl Lock {
    /// Reads the one row.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT run, user, host, pid, acquired, heartbeat, expires, note FROM lock")?
            .query_row([], Self::from_row)
            .optional()
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let time = |index: usize| {
            let text: String = row.get(index)?;
            text.parse::<Timestamp>().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
            })
        };
        Ok(Self {
            run: row.get(0)?,
            owner: LockOwner { user: row.get(1)?, host: row.get(2)?, pid: row.get(3)? },
            acquired: time(4)?,
            heartbeat: time(5)?,
            expires: time(6)?,
            note: row.get(7)?,
        })
    }

    /// Why it may be taken over; none while it is alive.
    #[must_use]
    pub fn lapsed(&self, now: Timestamp, ours: &LockOwner) -> Option<String> {
        if self.owner.gone(ours) {
            return Some(format!("taken over from {}: that process is gone, on this very host", self.owner));
        }
        (self.expires <= now)
            .then(|| format!("taken over from {}: its lock ran out at {:.0}", self.owner, self.expires))
    }

    fn refusal(&self, path: &Path) -> Problem {
        Problem::new(
            Exit::Locked,
            "taking the site's lock in",
            path.display().to_string(),
            format!(
                "{} holds it since {:.0} for run {}; last sign of life {:.0}, it runs out at {:.0}",
                self.owner, self.acquired, self.run, self.heartbeat, self.expires
            ),
            "wait for that run to end (`plinth status` shows it), or stop it and run again; a lock that is not renewed is \
             taken over when it runs out, by the same user on the same host as soon as its process is gone",
        )
    }
}

/// A lock that this process took.
pub(crate) struct HeldLock {
    owner: LockOwner,
    run: String,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for HeldLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldLock({}, {})", self.owner, self.run)
    }
}

impl HeldLock {
    /// Checks that the recorded lock is this one.
    pub(crate) fn check(&self, recorded: Option<Lock>) -> Result<(), JournalError> {
        match recorded {
            Some(lock) if lock.run == self.run && lock.owner == self.owner => Ok(()),
            Some(lock) => Err(JournalError::LockLost { holder: format!("{} holds it now", lock.owner) }),
            None => Err(JournalError::LockLost { holder: "nobody holds it now".to_owned() }),
        }
    }
}

impl Journal {
    /// Takes the site's lock, and reads what was recorded since the journal was opened. `clock` stamps the lock for as long as
    /// it is held; other processes compare with their own, so it is the machine's clock, in rehearsals too. Answers from whom
    /// it was taken over and why, if it was.
    ///
    /// # Errors
    /// Exit 5 when somebody else holds it; otherwise when the journal cannot be used.
    pub fn acquire(&mut self, owner: &LockOwner, run: &str, clock: &Arc<dyn Clock>) -> Result<Option<String>, Problem> {
        let now = clock.now();
        let sql = |path: &Path, error: &rusqlite::Error| Problem::from(JournalError::of(path, error));
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| sql(&self.path, &error))?;
        let note = match Lock::read(&transaction).map_err(|error| sql(&self.path, &error))? {
            None => None,
            Some(lock) => Some(lock.lapsed(now, owner).ok_or_else(|| lock.refusal(&self.path))?),
        };
        transaction
            .execute(
                "INSERT OR REPLACE INTO lock VALUES (1, ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)",
                params![run, owner.user, owner.host, owner.pid, now.to_string(), expiry(now).to_string(), note],
            )
            .and_then(|_| transaction.commit())
            .map_err(|error| sql(&self.path, &error))?;
        self.held = Some(HeldLock { owner: owner.clone(), run: run.to_owned(), clock: Arc::clone(clock) });
        self.catch_up()?;
        Ok(note)
    }

    /// Renews the lock, if one was taken.
    pub(crate) fn renew_lock(&mut self) -> Result<(), JournalError> {
        let Some(held) = &self.held else { return Ok(()) };
        let now = held.clock.now();
        let renewed = self.touch(
            "UPDATE lock SET heartbeat = ?4, expires = ?5 WHERE run = ?1 AND host = ?2 AND pid = ?3",
            &[&now.to_string(), &expiry(now).to_string()],
        )?;
        if renewed == 1 {
            return Ok(());
        }
        held.check(Lock::read(&self.connection).map_err(|error| JournalError::of(&self.path, &error))?)
    }

    /// Gives the lock back. Harmless to repeat, and when it was lost.
    ///
    /// # Errors
    /// When the journal cannot be written; the lock then runs out by itself.
    pub fn release(&mut self) -> Result<(), JournalError> {
        self.touch("DELETE FROM lock WHERE run = ?1 AND host = ?2 AND pid = ?3", &[])?;
        self.held = None;
        Ok(())
    }

    /// Runs a statement on our own lock row.
    fn touch(&self, statement: &str, more: &[&String]) -> Result<usize, JournalError> {
        let Some(held) = &self.held else { return Ok(0) };
        let mut values: Vec<&dyn rusqlite::ToSql> = vec![&held.run, &held.owner.host, &held.owner.pid];
        values.extend(more.iter().map(|text| text as &dyn rusqlite::ToSql));
        self.connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.execute(&*values))
            .map_err(|error| JournalError::of(&self.path, &error))
    }
}

impl Drop for Journal {
    /// Gives the lock back on every way out; when that fails it runs out by itself.
    fn drop(&mut self) {
        let _ = self.release();
    }
}

/// When a lock renewed now runs out.
fn expiry(now: Timestamp) -> Timestamp {
    now.checked_add(deadlines::LOCK_EXPIRY).unwrap_or(Timestamp::MAX)
}
