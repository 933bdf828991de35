//! The chain: every fact carries the hash of the one before, so a changed or missing fact shows.

use super::{Fact, History, JournalError, Record};
use plinth_model::Digest;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

/// Facts folded at once while reading: bounds memory, keeps the fold cheap.
const CHUNK: usize = 1_000;

/// The end of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// Sequence number of the last fact; 0 when there is none.
    pub(super) seq: i64,
    /// Its hash; empty when there is none.
    pub(super) hash: String,
}

impl Tail {
    /// The end as the database names it.
    pub(super) fn recorded(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        connection
            .query_row("SELECT seq, hash FROM head", [], |row| Ok(Self { seq: row.get(0)?, hash: row.get(1)? }))
            .optional()
    }
}

/// A fact as it stands in its table.
struct FactRow {
    seq: i64,
    run: String,
    at: String,
    kind: String,
    step: Option<String>,
    digest: Option<String>,
    payload: String,
    prev_hash: String,
    hash: String,
}

impl FactRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            run: row.get(1)?,
            at: row.get(2)?,
            kind: row.get(3)?,
            step: row.get(4)?,
            digest: row.get(5)?,
            payload: row.get(6)?,
            prev_hash: row.get(7)?,
            hash: row.get(8)?,
        })
    }

    fn after(tail: &Tail, record: &Record) -> serde_json::Result<Self> {
        let (step, digest) = record.fact.step().unzip();
        let mut row = Self {
            seq: tail.seq + 1,
            run: record.run.clone(),
            at: record.at.to_string(),
            kind: record.fact.kind().to_owned(),
            step: step.map(ToString::to_string),
            digest: digest.map(ToString::to_string),
            payload: serde_json::to_string(&record.fact)?,
            prev_hash: tail.hash.clone(),
            hash: String::new(),
        };
        row.hash = row.expected_hash();
        Ok(row)
    }

    /// Hash over everything in the row but the hash itself.
    fn expected_hash(&self) -> String {
        let Self { seq, run, at, kind, step, digest, payload, prev_hash, hash: _ } = self;
        Digest::of(&(prev_hash, seq, run, at, kind, step, digest, payload)).as_str().to_owned()
    }

    /// Checks the row against the one before, and reads the record.
    fn check(&self, tail: &Tail) -> Result<Record, String> {
        if self.seq != tail.seq + 1 {
            return Err(format!("it follows fact {}, so facts are missing", tail.seq));
        }
        if self.prev_hash != tail.hash || self.hash != self.expected_hash() {
            return Err("its hash does not fit: it or the fact before was changed".to_owned());
        }
        let fact: Fact = serde_json::from_str(&self.payload).map_err(|error| error.to_string())?;
        let at = self.at.parse().map_err(|error: jiff::Error| error.to_string())?;
        Ok(Record { run: self.run.clone(), at, fact })
    }
}

/// Adds records behind the tail; gives the new tail. The caller commits.
pub(super) fn write(connection: &Connection, tail: &Tail, records: &[Record]) -> rusqlite::Result<Tail> {
    let mut insert = connection.prepare_cached("INSERT INTO facts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let mut tail = tail.clone();
    for record in records {
        let row = FactRow::after(&tail, record).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        insert.execute(params![
            row.seq,
            row.run,
            row.at,
            row.kind,
            row.step,
            row.digest,
            row.payload,
            row.prev_hash,
            row.hash
        ])?;
        tail = Tail { seq: row.seq, hash: row.hash };
    }
    connection.prepare_cached("UPDATE head SET seq = ?1, hash = ?2")?.execute(params![tail.seq, tail.hash])?;
    Ok(tail)
}

/// Walks the facts behind the tail, checks chain and order, folds them into the history, and gives the new tail.
pub(super) fn read(
    connection: &Connection,
    path: &Path,
    tail: &Tail,
    history: &mut History,
) -> Result<Tail, JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let snapshot = connection.unchecked_transaction().map_err(sql)?;
    let recorded = Tail::recorded(&snapshot).map_err(sql)?;
    let mut walk = Walk { path, tail: tail.clone(), history, chunk: Vec::with_capacity(CHUNK) };
    let mut facts = snapshot.prepare("SELECT * FROM facts WHERE seq > ?1 ORDER BY seq").map_err(sql)?;
    for row in facts.query_map([tail.seq], FactRow::read).map_err(sql)? {
        walk.step(&row.map_err(sql)?)?;
    }
    walk.fold()?;
    if recorded.as_ref() == Some(&walk.tail) {
        return Ok(walk.tail);
    }
    let happened = "the last fact is not the one that was written last: facts were removed or added".to_owned();
    Err(JournalError::Broken { path: path.to_owned(), seq: walk.tail.seq, happened })
}

/// A walk along the chain.
struct Walk<'a> {
    path: &'a Path,
    tail: Tail,
    history: &'a mut History,
    chunk: Vec<Record>,
}

impl Walk<'_> {
    fn step(&mut self, row: &FactRow) -> Result<(), JournalError> {
        let record = row.check(&self.tail).map_err(|happened| self.broken(self.tail.seq + 1, happened))?;
        self.tail = Tail { seq: row.seq, hash: row.hash.clone() };
        self.chunk.push(record);
        if self.chunk.len() >= CHUNK { self.fold() } else { Ok(()) }
    }

    fn fold(&mut self) -> Result<(), JournalError> {
        let first = self.tail.seq - i64::try_from(self.chunk.len()).unwrap_or(0) + 1;
        let advance = self
            .history
            .advance(&self.chunk)
            .map_err(|(index, error)| self.broken(first + i64::try_from(index).unwrap_or(0), error.to_string()))?;
        self.history.take(advance);
        self.chunk.clear();
        Ok(())
    }

    fn broken(&self, seq: i64, happened: String) -> JournalError {
        JournalError::Broken { path: self.path.to_owned(), seq, happened }
    }
}
