//! The table of events: written in one transaction, read in order, and read whole or not at all.

use super::{JournalError, Memory, remembered};
use plinth_model::Event;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::path::Path;
use std::sync::Arc;

/// How far the events of one run were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Number of the run in this journal, from 1; 0 before its first event.
    pub(super) run: i64,
    /// `seq` of its last event.
    pub(super) seq: u64,
}

/// Adds events behind those of their run, whose first one makes the run known. The caller commits.
pub(super) fn write(
    connection: &Connection,
    run: &str,
    events: &[Event],
    mut written: Written,
) -> rusqlite::Result<Written> {
    if written.run == 0 {
        connection.execute("INSERT INTO runs (id, last) VALUES (?1, 0)", [run])?;
        written.run = connection.last_insert_rowid();
    }
    let mut insert = connection.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for event in events {
        let text =
            serde_json::to_string(event).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        insert.execute(params![written.run, number(event.seq), number(written.seq), event.body.is_durable(), text])?;
        written.seq = event.seq;
    }
    connection
        .prepare_cached("UPDATE runs SET last = ?2 WHERE number = ?1")?
        .execute(params![written.run, number(written.seq)])?;
    Ok(written)
}

/// SQLite counts in `i64`; a run has fewer events than that.
fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// How far the last run was written.
pub(super) fn written(connection: &Connection) -> rusqlite::Result<Written> {
    let last = "SELECT number, last FROM runs ORDER BY number DESC LIMIT 1";
    let read = |row: &Row<'_>| Ok(Written { run: row.get(0)?, seq: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0) });
    Ok(connection.query_row(last, [], read).optional()?.unwrap_or_default())
}

/// Ids of all runs, oldest first.
pub(super) fn runs(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare("SELECT id FROM runs ORDER BY number")?.query_map([], |row| row.get(0))?.collect()
}

/// Id of the last run, if there was one.
pub(super) fn last_run(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT id FROM runs ORDER BY number DESC LIMIT 1", [], |row| row.get(0)).optional()
}

/// Ids of the runs before this one, newest first, each with its first event.
pub(super) fn heads_before(connection: &Connection, path: &Path, run: &str) -> Result<Vec<Event>, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let query = format!(
        "{ROWS} WHERE events.seq = 1 AND runs.number < (SELECT number FROM runs WHERE id = ?1) ORDER BY runs.number DESC"
    );
    let mut statement = connection.prepare(&query).map_err(sql)?;
    let rows = statement.query_map([run], EventRow::read).map_err(sql)?;
    let walk = Walk { path, run: run.to_owned(), last: 0, seq: 0 };
    rows.map(|row| walk.event(&row.map_err(sql)?)).collect()
}

/// Every event of a run behind `seq`, in order.
pub(super) fn since(connection: &Connection, path: &Path, run: &str, seq: u64) -> Result<Vec<Event>, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let mut events = Vec::new();
    let mut walk = Walk { path, run: String::new(), last: 0, seq };
    let query = format!("{ROWS} WHERE runs.id = ?1 AND events.seq > ?2 ORDER BY events.seq");
    let mut statement = connection.prepare_cached(&query).map_err(sql)?;
    for row in statement.query_map(params![run, number(seq)], EventRow::read).map_err(sql)? {
        let row = row.map_err(sql)?;
        walk.step(&row)?;
        events.push(walk.event(&row)?);
    }
    walk.end()?;
    Ok(events)
}

/// Events of a run whose text is wanted, in order. The others are not read.
pub(super) fn chosen(
    connection: &Connection,
    path: &Path,
    run: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Event>, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let walk = Walk { path, run: run.to_owned(), last: 0, seq: 0 };
    let mut events = Vec::new();
    let mut statement =
        connection.prepare_cached(&format!("{ROWS} WHERE runs.id = ?1 ORDER BY events.seq")).map_err(sql)?;
    let mut rows = statement.query(params![run]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        let is_wanted = row.get_ref(5).map_err(sql)?.as_str().map_err(|error| walk.broken(0, error))?;
        if wanted(is_wanted) {
            events.push(walk.event(&EventRow::read(row).map_err(sql)?)?);
        }
    }
    Ok(events)
}

/// All runs, folded into what the next one must know. Every row is looked at; only durable events are read.
pub(super) fn memory(connection: &Connection, path: &Path) -> Result<Memory, JournalError> {
    memory_until(connection, path, i64::MAX)
}

/// The same of the runs up to this number: what is remembered of those that were removed, and what came behind them.
pub(super) fn memory_until(connection: &Connection, path: &Path, last: i64) -> Result<Memory, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let (first, mut memory) = remembered::read(connection, path)?.unwrap_or_default();
    let mut walk = Walk { path, run: String::new(), last: 0, seq: 0 };
    let mut run: Arc<str> = Arc::from("");
    let query = format!("{ROWS} WHERE runs.number > ?1 AND runs.number <= ?2 ORDER BY runs.number, events.seq");
    let mut statement = connection.prepare(&query).map_err(sql)?;
    for row in statement.query_map([first, last], EventRow::read).map_err(sql)? {
        let row = row.map_err(sql)?;
        walk.step(&row)?;
        if *run != row.run {
            run = Arc::from(row.run.as_str());
        }
        if row.durable {
            let event = walk.event(&row)?;
            let one = std::slice::from_ref(&event);
            memory.check(&run, one).map_err(|(_, error)| walk.broken(row.seq, &error))?;
            memory.take(&run, &event);
        }
    }
    walk.end()?;
    Ok(memory)
}

/// How many records, that is durable events, there are.
pub(super) fn records(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM events WHERE durable", [], |row| row.get(0))
}

const ROWS: &str = "SELECT runs.id, runs.last, events.seq, events.after, events.durable, events.event
    FROM events JOIN runs ON runs.number = events.run";

/// An event as it stands in its table.
struct EventRow {
    run: String,
    last: i64,
    seq: i64,
    after: i64,
    durable: bool,
    event: String,
}

impl EventRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            run: row.get(0)?,
            last: row.get(1)?,
            seq: row.get(2)?,
            after: row.get(3)?,
            durable: row.get(4)?,
            event: row.get(5)?,
        })
    }
}

/// A walk along the events of runs, which finds those that are missing.
struct Walk<'a> {
    path: &'a Path,
    run: String,
    /// `seq` of the last event of the run, as the table of runs has it.
    last: i64,
    /// `seq` of the event before.
    seq: u64,
}

impl Walk<'_> {
    fn step(&mut self, row: &EventRow) -> Result<(), JournalError> {
        if self.run != row.run {
            if !self.run.is_empty() {
                self.end()?;
                self.seq = 0;
            }
            self.run.clone_from(&row.run);
        }
        self.last = row.last;
        // A reader may ask from behind a progress event, which is not kept: the first row may follow an earlier one.
        if row.after > number(self.seq) {
            return Err(self.broken(row.seq, "events in front of it are missing"));
        }
        self.seq = u64::try_from(row.seq).unwrap_or(0);
        Ok(())
    }

    fn event(&self, row: &EventRow) -> Result<Event, JournalError> {
        let event: Event = serde_json::from_str(&row.event).map_err(|error| self.broken(row.seq, error))?;
        if number(event.seq) == row.seq && event.body.is_durable() == row.durable {
            return Ok(event);
        }
        Err(self.broken(row.seq, "its text does not fit its place"))
    }

    /// The last event of a run must be the one that was written last.
    fn end(&self) -> Result<(), JournalError> {
        if self.run.is_empty() || self.last == number(self.seq) {
            return Ok(());
        }
        Err(self.broken(self.last, "events at the end of the run were removed or added"))
    }

    fn broken(&self, seq: i64, happened: impl std::fmt::Display) -> JournalError {
        let happened = format!("run {}: {happened}", self.run);
        JournalError::Broken { path: self.path.to_owned(), seq, happened }
    }
}
