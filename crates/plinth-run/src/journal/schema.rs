//! The tables, and opening them without changing anything that is not ours.

use super::{JournalError, old, plans};
use plinth_world::deadlines;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Schema number, in `PRAGMA user_version`; it goes up with every field of [`super::Memory`] too. Newer ones are refused; older ones are read, see [`super::old`].
pub(super) const SCHEMA: i64 = 6;

/// Of before its locks said which process of that id they meant.
const WITHOUT_IDENTITY: i64 = 2;
/// Of before runs were removed.
const WITHOUT_RETENTION: i64 = 3;
/// Of before it was kept apart what may be made only once. Its tables are the same.
const WITHOUT_MADE_ONCE: i64 = 4;
/// Of before plans were packed: its table of them holds texts.
const WITH_TEXTS: i64 = 5;
/// What makes a lock table of schema 1 and 2 one of schema 3.
const IDENTITY: &str = "ALTER TABLE lock ADD COLUMN boot TEXT; ALTER TABLE lock ADD COLUMN namespace TEXT;
ALTER TABLE lock ADD COLUMN started INTEGER;";

/// The tables that schema 1 did not have, or not so.
const EVENTS: &str = "
CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, last INTEGER NOT NULL) STRICT;
CREATE TABLE events (run INTEGER NOT NULL, seq INTEGER NOT NULL, after INTEGER NOT NULL, durable INTEGER NOT NULL,
    event TEXT NOT NULL, PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
";

/// What is remembered of runs up to a number, some of which were removed: only events of those can be.
const RETENTION: &str = "
CREATE TABLE remembered (one INTEGER PRIMARY KEY CHECK (one = 1), run INTEGER NOT NULL, removed INTEGER NOT NULL,
    memory TEXT NOT NULL) STRICT;
DROP TRIGGER IF EXISTS events_are_never_removed;
CREATE TRIGGER events_are_removed_when_remembered BEFORE DELETE ON events
    WHEN OLD.run > (SELECT coalesce(max(run), 0) FROM remembered)
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
";

/// The tables that all have.
const COMMON: &str = "
CREATE TABLE lock (one INTEGER PRIMARY KEY CHECK (one = 1), run TEXT NOT NULL, user TEXT NOT NULL, host TEXT NOT NULL,
    pid INTEGER NOT NULL, acquired TEXT NOT NULL, heartbeat TEXT NOT NULL, expires TEXT NOT NULL, note TEXT,
    boot TEXT, namespace TEXT, started INTEGER) STRICT;
CREATE TABLE plans (hash TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
";

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Loss of power: for everything that touches the real world.
    #[default]
    Power,
    /// The end of this process, however it comes: for rehearsals, whose world survives no more than that either.
    Process,
}

/// Opens for writing; makes the file and its tables when there is none. A journal of an older schema becomes one of this.
pub(super) fn open(path: &Path, durability: Durability) -> Result<Connection, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    plain(path)?;
    make_private(path)?;
    let mut connection = connect(path)?;
    let found = check_schema(&connection, path)?;
    write_ahead(&connection).map_err(sql)?;
    let synchronous = if durability == Durability::Power { "FULL" } else { "OFF" };
    connection.pragma_update(None, "synchronous", synchronous).map_err(sql)?;
    // A run of the release before may be on, whose own readers know no later schema: see [`learn`].
    if found < WITHOUT_RETENTION {
        make_tables(&mut connection, path)?;
    }
    Ok(connection)
}

/// A connection that writes. A name is a name: `file:x?mode=memory` is no address here.
pub(super) fn connect(path: &Path) -> Result<Connection, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(absolute(path)?, flags).map_err(sql)?;
    connection.busy_timeout(deadlines::JOURNAL_BUSY).map_err(sql)?;
    Ok(connection)
}

fn absolute(path: &Path) -> Result<PathBuf, JournalError> {
    std::path::absolute(path).map_err(|error| storage(path, &error))
}

fn storage(path: &Path, error: &std::io::Error) -> JournalError {
    JournalError::Storage { path: path.to_owned(), happened: error.to_string() }
}

/// Device and inode of the file.
pub(super) fn identity(path: &Path) -> Result<(u64, u64), JournalError> {
    let found = std::fs::metadata(path).map_err(|error| storage(path, &error))?;
    Ok((found.dev(), found.ino()))
}

/// Refuses what is there and is no file: a FIFO would be waited for, and a symbolic link leads somewhere else.
fn plain(path: &Path) -> Result<(), JournalError> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let path = PathBuf::from(name);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Ok(_) => {
                let happened = "it is no plain file; symbolic links are not followed here".to_owned();
                return Err(JournalError::NotAJournal { path, happened });
            }
            Err(error) => return Err(storage(&path, &error)),
        }
    }
    Ok(())
}

/// Makes an empty file for its owner alone, when there is none: the state directory may be one that others can read. SQLite gives
/// the files beside it (`-wal`, `-shm`) the same mode.
fn make_private(path: &Path) -> Result<(), JournalError> {
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(JournalError::Storage { path: path.to_owned(), happened: error.to_string() })
        }
        _ => Ok(()),
    }
}

/// Switches to the write-ahead log. SQLite does not wait by itself when another process is just opening the same file, so this
/// does, for as long as it waits elsewhere.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let patience = std::time::Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && patience.elapsed() < deadlines::JOURNAL_BUSY => {
                std::thread::sleep(deadlines::JOURNAL_BUSY / 200)
            }
            result => return result,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

/// Opens for reading; none when there is no journal, or one that was never written. A journal of schema 1 is read into
/// memory and left as it is.
pub(super) fn open_read_only(path: &Path) -> Result<Option<Connection>, JournalError> {
    plain(path)?;
    if !path.exists() {
        return Ok(None);
    }
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(absolute(path)?, flags).map_err(sql)?;
    connection.busy_timeout(deadlines::JOURNAL_BUSY).map_err(sql)?;
    match check_schema(&connection, path)? {
        0 => Ok(None),
        WITHOUT_IDENTITY..=SCHEMA => Ok(Some(connection)),
        _ => {
            let copy = Connection::open_in_memory().map_err(sql)?;
            copy.execute_batch(&format!("{EVENTS}{COMMON}{RETENTION}")).map_err(sql)?;
            old::copy_common(&connection, &copy).map_err(sql)?;
            old::convert(&connection, &copy, path)?;
            Ok(Some(copy))
        }
    }
}

/// The schema number found; 0 for an empty database. One statement, so that a journal being made elsewhere is seen whole or
/// not at all.
fn check_schema(connection: &Connection, path: &Path) -> Result<i64, JournalError> {
    let (found, events, facts, all): (i64, i64, i64, i64) = connection
        .query_row(
            "SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master WHERE name = 'events'),
                (SELECT count(*) FROM sqlite_master WHERE name = 'facts'), (SELECT count(*) FROM sqlite_master)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .map_err(|error| JournalError::of(path, &error))?;
    match (found, events, facts, all) {
        (0, _, _, 0) => Ok(found),
        (WITHOUT_IDENTITY..=SCHEMA, 1, _, _) | (old::SCHEMA, _, 1, _) => check_pages(connection, path).map(|()| found),
        (newer, _, _, _) if newer > SCHEMA => {
            Err(JournalError::NewerSchema { path: path.to_owned(), found, known: SCHEMA })
        }
        _ => Err(JournalError::NotAJournal { path: path.to_owned(), happened: "its tables are others".to_owned() }),
    }
}

/// Lets the database look at its own pages: a file that was cut off may lack only pages that nobody has read yet.
fn check_pages(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let answer: rusqlite::Result<String> = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match answer.map_err(|error| JournalError::of(path, &error))? {
        answer if answer == "ok" => Ok(()),
        happened => Err(JournalError::Damaged { path: path.to_owned(), happened }),
    }
}

/// Makes a journal of one of the three schemas before one of this, for whoever has just taken its lock. The caller commits.
pub(super) fn learn(connection: &Connection) -> rusqlite::Result<()> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found == WITHOUT_RETENTION {
        connection.execute_batch(RETENTION)?;
    }
    if matches!(found, WITHOUT_RETENTION | WITHOUT_MADE_ONCE | WITH_TEXTS) {
        connection.execute_batch(plans::MIGRATION)?;
        connection.pragma_update(None, "user_version", SCHEMA)?;
    }
    Ok(())
}

/// Makes the tables, unless another process did so meanwhile.
fn make_tables(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sql)?;
    match found {
        0 => transaction.execute_batch(&format!("{EVENTS}{COMMON}{RETENTION}")).map_err(sql)?,
        old::SCHEMA => {
            transaction.execute_batch(&format!("{}{EVENTS}{IDENTITY}{RETENTION}", old::SET_ASIDE)).map_err(sql)?;
            old::convert(&transaction, &transaction, path)?;
            transaction.execute_batch(&format!("{}{}", old::DROP, plans::MIGRATION)).map_err(sql)?;
        }
        WITHOUT_IDENTITY => {
            transaction.execute_batch(&format!("{IDENTITY}{RETENTION}{}", plans::MIGRATION)).map_err(sql)?;
        }
        _ => return Ok(()),
    }
    transaction.pragma_update(None, "user_version", SCHEMA).map_err(sql)?;
    transaction.commit().map_err(sql)
}
