//! How much a journal keeps. What old runs left for the next one is folded first, and stays; then their events go.

use super::{JournalError, events, remembered};
use plinth_model::{Event, EventBody, Outcome};
use rusqlite::Connection;
use std::path::Path;

/// What is kept of earlier runs; both bounds hold. Whatever they say, the newest run, the newest one that says how far the site is, and
/// the last good one stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Runs.
    pub runs: u32,
    /// Bytes of the database that are in use.
    pub bytes: i64,
}

impl Default for Retention {
    /// A run of a thousand nodes takes some 17 MB (measured), so that thirty of them stay; of small sites it is the number that counts.
    fn default() -> Self {
        Self { runs: 200, bytes: 512 * 1024 * 1024 }
    }
}

/// A run, as far as it is asked whether it may go.
struct Kept {
    number: i64,
    plan: Option<String>,
    /// It says how far the site is.
    is_whole: bool,
    is_good: bool,
}

/// Removes whole runs, the oldest first, until what is left fits, and answers how many. The caller commits.
pub(super) fn remove(connection: &Connection, path: &Path, retention: Retention) -> Result<u32, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    if retention.holds(connection).map_err(sql)? {
        return Ok(0);
    }
    let runs = kept(connection, path)?;
    let newest = |is_meant: &dyn Fn(&Kept) -> bool| runs.iter().rev().find(|run| is_meant(run)).map(|run| run.number);
    let stay = [newest(&|_| true), newest(&|run| run.is_whole), newest(&|run| run.is_good)];
    let stays = |run: &Kept| stay.contains(&Some(run.number));
    let mut removed = 0;
    for run in runs.iter().filter(|run| !stays(run)) {
        let memory = events::memory_until(connection, path, run.number)?;
        remembered::keep(connection, path, run.number, &memory)?;
        let is_left = |other: &Kept| other.number > run.number || stays(other);
        let needs_plan = runs.iter().any(|other| is_left(other) && other.plan == run.plan);
        forget(connection, run, needs_plan).map_err(sql)?;
        removed += 1;
        if retention.holds(connection).map_err(sql)? {
            break;
        }
    }
    Ok(removed)
}

impl Retention {
    fn holds(self, connection: &Connection) -> rusqlite::Result<bool> {
        let runs: u32 = connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0))?;
        Ok(runs <= self.runs && used(connection)? <= self.bytes)
    }
}

/// Removes one run, and the text of its plan unless another one needs it.
fn forget(connection: &Connection, run: &Kept, needs_plan: bool) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM events WHERE run = ?1", [run.number])?;
    connection.execute("DELETE FROM runs WHERE number = ?1", [run.number])?;
    if let (false, Some(plan)) = (needs_plan, &run.plan) {
        connection.execute("DELETE FROM plans WHERE hash = ?1", [plan])?;
    }
    remembered::count_one(connection)
}

/// Bytes of the pages that hold something.
fn used(connection: &Connection) -> rusqlite::Result<i64> {
    let pages = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    connection.query_row(pages, [], |row| row.get(0))
}

/// All runs, oldest first.
fn kept(connection: &Connection, path: &Path) -> Result<Vec<Kept>, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let query = "SELECT number,
            (SELECT event FROM events WHERE run = number AND seq = 1), (SELECT event FROM events WHERE run = number AND seq = last)
        FROM runs ORDER BY number";
    let mut statement = connection.prepare(query).map_err(sql)?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = statement.query_map([], read).map_err(sql)?;
    rows.map(|row| row.map(|(number, first, last)| Kept::of(number, first, last)).map_err(sql)).collect()
}

impl Kept {
    fn of(number: i64, first: Option<String>, last: Option<String>) -> Self {
        let body = |text: Option<String>| serde_json::from_str::<Event>(&text?).ok().map(|event| event.body);
        let is_done = matches!(body(last), Some(EventBody::RunFinished { outcome: Outcome::Done, .. }));
        match body(first) {
            Some(EventBody::RunStarted(head)) => {
                let is_whole = head.is_whole();
                Self { number, plan: Some(head.plan.as_str().to_owned()), is_whole, is_good: is_whole && is_done }
            }
            // What cannot be read is an error of whoever reads it; here it is only old.
            _ => Self { number, plan: None, is_whole: false, is_good: false },
        }
    }
}
