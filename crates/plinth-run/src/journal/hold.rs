//! The lock as this process holds it: taken, renewed, handed to the next run, given back.

use super::lock::{Lock, expiry, renew};
use super::{Fence, JournalError, LockOwner};
use jiff::Timestamp;
use plinth_model::Problem;
use plinth_world::Clock;
use rusqlite::{Connection, params};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The lock that this process took.
pub(super) struct Hold {
    owner: LockOwner,
    run: Arc<str>,
    acquired: Timestamp,
    clock: Arc<dyn Clock>,
    fence: Fence,
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hold({}, {})", self.owner, self.run)
    }
}

impl Hold {
    /// Takes the lock within a transaction, which the caller commits. Answers from whom it was taken over, and why.
    ///
    /// # Errors
    /// Exit 5 when somebody else holds it; otherwise when the database cannot be used.
    pub(super) fn take(
        transaction: &Connection,
        path: &Path,
        (owner, run, clock): (&LockOwner, &str, &Arc<dyn Clock>),
    ) -> Result<(Self, Option<String>), Problem> {
        let (now, process) = (clock.now(), owner.process.as_ref());
        let sql = |error: rusqlite::Error| Problem::from(JournalError::of(path, &error));
        let note = match Lock::read(transaction).map_err(sql)? {
            None => None,
            Some(lock) => Some(lock.lapsed(now, owner).ok_or_else(|| lock.refusal(path))?),
        };
        transaction
            .execute(
                "INSERT OR REPLACE INTO lock (one, run, user, host, pid, acquired, heartbeat, expires, note, boot, namespace, started)
                    VALUES (1, ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    run,
                    owner.user,
                    owner.host,
                    owner.pid,
                    now.to_string(),
                    expiry(now).to_string(),
                    note,
                    process.map(|process| &process.boot),
                    process.map(|process| &process.namespace),
                    process.map(|process| i64::try_from(process.started).unwrap_or(i64::MAX)),
                ],
            )
            .map_err(sql)?;
        let (run, clock, fence) = (Arc::from(run), Arc::clone(clock), Fence::new(clock));
        Ok((Self { owner: owner.clone(), run, acquired: now, clock, fence }, note))
    }

    /// What is known of the lock without a look.
    pub(super) fn fence(&self) -> &Fence {
        &self.fence
    }

    /// The clock that stamps it.
    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Run it was taken for.
    pub(super) fn run(&self) -> &Arc<str> {
        &self.run
    }

    pub(super) fn check(&self, recorded: Option<Lock>) -> Result<(), JournalError> {
        match recorded {
            Some(lock) if *lock.run == *self.run && lock.owner == self.owner => Ok(()),
            Some(lock) => Err(JournalError::LockLost { holder: format!("{} holds it now", lock.owner) }),
            None => Err(JournalError::LockLost { holder: "nobody holds it now".to_owned() }),
        }
    }

    /// Renews the lock.
    pub(super) fn renew(&self, connection: &Connection, path: &Path) -> Result<(), JournalError> {
        let renewed = renew(connection, self.acquired, &self.owner, self.clock.now());
        if renewed.map_err(|error| JournalError::of(path, &error))? {
            self.fence.renewed();
            return Ok(());
        }
        self.check(Lock::read(connection).map_err(|error| JournalError::of(path, &error))?)
    }

    /// Gives the lock to another run of this process.
    pub(super) fn rename(&mut self, connection: &Connection, path: &Path, run: &str) -> Result<(), JournalError> {
        let sql = |error: rusqlite::Error| JournalError::of(path, &error);
        let statement = "UPDATE lock SET run = ?4 WHERE run = ?1 AND host = ?2 AND pid = ?3";
        if self.touch(connection, statement, &[&run.to_owned()]).map_err(sql)? == 0 {
            self.check(Lock::read(connection).map_err(sql)?)?;
        }
        self.run = Arc::from(run);
        Ok(())
    }

    /// Releases the lock. Idempotent; does nothing if the lock was lost.
    pub(super) fn release(&self, connection: &Connection) -> rusqlite::Result<usize> {
        self.touch(connection, "DELETE FROM lock WHERE run = ?1 AND host = ?2 AND pid = ?3", &[])
    }

    /// Runs a statement on our own lock row.
    fn touch(&self, connection: &Connection, statement: &str, more: &[&String]) -> rusqlite::Result<usize> {
        let run: &str = &self.run;
        let mut values: Vec<&dyn rusqlite::ToSql> = vec![&run, &self.owner.host, &self.owner.pid];
        values.extend(more.iter().map(|text| text as &dyn rusqlite::ToSql));
        connection.prepare_cached(statement)?.execute(&*values)
    }
}
