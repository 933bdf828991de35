//! What is remembered of runs whose events may be gone: a row that is read before the events behind it.

use super::{JournalError, Memory};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::Path;

/// Keeps what all runs up to this one left for the next one. An older one changes nothing: it is counted in already.
pub(super) fn keep(connection: &Connection, path: &Path, last: i64, memory: &Memory) -> Result<(), JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let text = serde_json::to_string(memory)
        .map_err(|error| JournalError::Storage { path: path.to_owned(), happened: error.to_string() })?;
    let row = "INSERT INTO remembered VALUES (1, ?1, 0, ?2) ON CONFLICT DO UPDATE SET run = max(run, ?1), memory = ?2";
    connection.execute(row, params![last, text]).map(drop).map_err(sql)
}

/// One run more was removed.
pub(super) fn count_one(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE remembered SET removed = removed + 1", []).map(drop)
}

/// What runs that were removed left, and the number of the last run that is counted in; none when nothing was ever removed.
pub(super) fn read(connection: &Connection, path: &Path) -> Result<Option<(i64, Memory)>, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    if !has_table(connection).map_err(sql)? {
        return Ok(None);
    }
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?));
    let row = connection.query_row("SELECT run, memory FROM remembered", [], read).optional().map_err(sql)?;
    let Some((run, text)) = row else { return Ok(None) };
    let broken = |error: serde_json::Error| JournalError::Broken {
        path: path.to_owned(),
        seq: 0,
        happened: format!("what is remembered of runs that were removed: {error}"),
    };
    Ok(Some((run, serde_json::from_str(&text).map_err(broken)?)))
}

/// How many runs were removed so far.
pub(super) fn removed(connection: &Connection) -> rusqlite::Result<u32> {
    if !has_table(connection)? {
        return Ok(0);
    }
    let removed = connection.query_row("SELECT removed FROM remembered", [], |row| row.get(0)).optional()?;
    Ok(removed.unwrap_or(0))
}

/// Journals of before this was kept, which are only read, have none.
fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) > 0 FROM sqlite_master WHERE name = 'remembered'", [], |row| row.get(0))
}
