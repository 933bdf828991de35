//! The site's lock: one run at a time, in the same database as the journal.
//!
//! A lock says who holds it, since when, when it was last renewed and when it runs out. One that ran out is taken over, and
//! so is one whose process is certainly gone, see [`super::owner`]. Every append checks that the lock is still ours, so a process that
//! slept too long cannot write into somebody else's run; what else it had in flight is behind a [`super::Fence`].

use super::{LockOwner, ProcessIdentity};
use jiff::Timestamp;
use plinth_model::Problem;
use plinth_model::run::{Holder, LockView};
use plinth_world::deadlines;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

/// A lock as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Run it was taken for.
    pub run: String,
    /// Who holds it.
    pub owner: LockOwner,
    /// When it was taken.
    pub acquired: Timestamp,
    /// When it was last renewed.
    pub heartbeat: Timestamp,
    /// When it runs out unless renewed.
    pub expires: Timestamp,
    /// From whom it was taken over, and why.
    pub note: Option<String>,
}

impl Lock {
    /// Reads the one row.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        connection.prepare_cached("SELECT * FROM lock")?.query_row([], Self::from_row).optional()
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let time = |name: &str| {
            let text: String = row.get(name)?;
            text.parse::<Timestamp>().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
            })
        };
        let (user, host, pid) = (row.get("user")?, row.get("host")?, row.get("pid")?);
        Ok(Self {
            run: row.get("run")?,
            owner: LockOwner { user, host, pid, process: process(row) },
            acquired: time("acquired")?,
            heartbeat: time("heartbeat")?,
            expires: time("expires")?,
            note: row.get("note")?,
        })
    }

    /// Why it may be taken over; none while it is alive.
    #[must_use]
    pub fn lapsed(&self, now: Timestamp, ours: &LockOwner) -> Option<String> {
        if self.owner.gone(ours) {
            return Some(format!("taken over from {}: that process is gone, on this very host", self.owner));
        }
        let there = if self.owner.seen(ours) == Holder::There {
            ", though that process is there; should it go on, it writes nothing more"
        } else {
            ""
        };
        (self.expires <= now)
            .then(|| format!("taken over from {}: its lock ran out at {:.0}{there}", self.owner, self.expires))
    }

    /// The lock as others see it at `now`; `ours` is the process that looks.
    #[must_use]
    pub fn view(&self, now: Timestamp, ours: &LockOwner) -> LockView {
        LockView {
            owner: self.owner.to_string(),
            run: self.run.clone(),
            acquired: self.acquired,
            heartbeat: self.heartbeat,
            expires: self.expires,
            alive: self.lapsed(now, ours).is_none(),
            process: self.owner.seen(ours),
        }
    }

    pub(super) fn refusal(&self, path: &Path) -> Problem {
        Problem::while_doing("taking the site's lock in").to(path.display()).locked(format!(
                "{} holds it since {:.0} for run {}; last heartbeat {:.0}, expires {:.0}",
                self.owner, self.acquired, self.run, self.heartbeat, self.expires
            )).try_this("wait for that run to end (`plinth status` shows it), or stop it and run again; a lock that is not renewed is \
             taken over when it runs out. If its holder's clock was wrong: `plinth unlock` looks whether it lives, and frees it")
    }
}

/// Which process holds it; a journal of schema 2 has no such columns.
fn process(row: &Row<'_>) -> Option<ProcessIdentity> {
    let (boot, namespace) = (row.get("boot").ok()?, row.get("namespace").ok()?);
    let started = u64::try_from(row.get::<_, i64>("started").ok()?).ok()?;
    Some(ProcessIdentity { boot, namespace, started })
}

/// Renews the lock that this owner took then, if it is still there. A lock is known by when it was taken: one serves several runs.
pub(super) fn renew(
    connection: &Connection,
    acquired: Timestamp,
    owner: &LockOwner,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "UPDATE lock SET heartbeat = ?4, expires = ?5 WHERE acquired = ?1 AND host = ?2 AND pid = ?3",
    )?;
    let renewed = statement.execute(params![
        acquired.to_string(),
        owner.host,
        owner.pid,
        now.to_string(),
        expiry(now).to_string()
    ])?;
    Ok(renewed == 1)
}

/// When a lock renewed now runs out.
pub(super) fn expiry(now: Timestamp) -> Timestamp {
    now.checked_add(deadlines::LOCK_EXPIRY).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A process that was stopped for longer than its lock lasts: the next run may take it over, but nobody says that it has ended.
    #[test]
    fn a_lock_that_was_not_renewed_says_whether_its_process_is_there() {
        let ours = LockOwner::current();
        let at: Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let (run, note) = ("run-1".to_owned(), None);
        let lock = Lock { run, owner: ours.clone(), acquired: at, heartbeat: at, expires: expiry(at), note };
        let seen = |lock: &Lock, now| (lock.view(now, &ours).alive, lock.view(now, &ours).process);
        assert_eq!(seen(&lock, at), (true, Holder::There));
        assert_eq!(seen(&lock, lock.expires), (false, Holder::There));
        assert!(lock.lapsed(lock.expires, &ours).unwrap().contains("though that process is there"));
        let owner = LockOwner { pid: 1 << 23, ..ours.clone() };
        let gone = Lock { owner, ..lock.clone() };
        assert_eq!(seen(&gone, at), (false, Holder::Gone));
        let owner = LockOwner { host: "elsewhere".to_owned(), ..ours.clone() };
        assert_eq!(seen(&Lock { owner, ..lock.clone() }, lock.expires), (false, Holder::Unseen));
    }
}
