//! How much a journal keeps. What old runs left for the next one is folded first, and stays; then their events go.

use super::{JournalError, events, remembered};
use plinth_model::run::RunHead;
use plinth_model::{Digest, Event, EventBody, Outcome};
use rusqlite::Connection;
use std::path::Path;

/// What is kept of earlier runs; both bounds hold. Whatever they say, the newest run, what `status` tells (the newest run that says how far the
/// site is, the newest checks, the newest small thing) and the last good run stay. Checks and small things go first: an hourly check is
/// no reason to forget what was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Runs.
    pub runs: u32,
    /// Bytes of the database that are in use.
    pub bytes: i64,
}

/// A run, as far as it is asked whether it may go.
struct Kept {
    number: i64,
    /// Its first event; none when that cannot be read, which is an error of whoever reads it. Here it is only old.
    head: Option<RunHead>,
    is_done: bool,
}

/// Removes the run that may go first, if there is too much, and answers whether it did. The caller commits.
pub(super) fn remove_one(connection: &Connection, path: &Path, retention: Retention) -> Result<bool, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    if retention.holds(connection).map_err(sql)? {
        return Ok(false);
    }
    let runs = kept(connection, path)?;
    let stay = stay(&runs);
    let may_go = runs.iter().filter(|run| !stay.contains(&Some(run.number)));
    let Some(run) = may_go.min_by_key(|run| (run.is_whole(), run.number)) else { return Ok(false) };
    remembered::keep(connection, path, run.number, &events::memory_until(connection, path, run.number)?)?;
    let others_need = |plan| runs.iter().any(|other| other.number != run.number && other.plan() == Some(plan));
    forget(connection, run, run.plan().filter(|plan| !others_need(plan))).map_err(sql)?;
    Ok(true)
}

/// The newest run, what `status` tells, and the last good one.
fn stay(runs: &[Kept]) -> [Option<i64>; 5] {
    let newest = |is_meant: &dyn Fn(&Kept) -> bool| runs.iter().rev().find(|run| is_meant(run)).map(|run| run.number);
    let is = |meant: &'static dyn Fn(&RunHead) -> bool| move |run: &Kept| run.head.as_ref().is_some_and(meant);
    [
        newest(&|_| true),
        newest(&Kept::is_whole),
        newest(&is(&RunHead::is_check)),
        newest(&is(&|head| head.small.is_some())),
        newest(&|run| run.is_whole() && run.is_done),
    ]
}

impl Retention {
    fn holds(self, connection: &Connection) -> rusqlite::Result<bool> {
        let runs: u32 = connection.query_row("SELECT count(*) FROM runs", [], |row| row.get(0))?;
        Ok(runs <= self.runs && used(connection)? <= self.bytes)
    }
}

/// Removes one run, and the text of a plan that no other one needs.
fn forget(connection: &Connection, run: &Kept, plan: Option<&Digest>) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM events WHERE run = ?1", [run.number])?;
    connection.execute("DELETE FROM runs WHERE number = ?1", [run.number])?;
    if let Some(plan) = plan {
        connection.execute("DELETE FROM plans WHERE hash = ?1", [plan.as_str()])?;
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
        let head = match body(first) {
            Some(EventBody::RunStarted(head)) => Some(head),
            _ => None,
        };
        Self { number, head, is_done }
    }

    /// Whether it says how far the site is.
    fn is_whole(&self) -> bool {
        self.head.as_ref().is_some_and(RunHead::is_whole)
    }

    fn plan(&self) -> Option<&Digest> {
        self.head.as_ref().map(|head| &head.plan)
    }
}
