//! The world: everything that is true of the simulated data centre, as a fold over effects.
//!
//! With a state directory each effect is one line of `world.ndjson`, written before anybody can see it; the next process folds
//! the lines again and goes on where the last one stopped, however it ended.

pub(crate) mod effect;
pub(crate) mod hardware;
mod log;
mod snapshot;
pub(crate) mod state;

pub(crate) use effect::{Effect, Installed};
pub use log::FILE;
pub(crate) use state::{OrgUnitKey, State};

use effect::Record;

use jiff::Timestamp;
use log::Log;
use std::path::{Path, PathBuf};

/// Schema number of the log. Newer ones are refused.
pub const SCHEMA: u32 = 1;

/// Why a world cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The file cannot be read or written.
    #[error("the simulated world in {0}: {1}; try another state directory, or free space on this one")]
    File(PathBuf, String),
    /// A newer plinth wrote it.
    #[error(
        "the simulated world in {0} has schema {1}, this plinth knows up to {SCHEMA}; try a newer plinth, or another state directory"
    )]
    Newer(PathBuf, u32),
    /// Another seed made it, so that nothing of it would fit.
    #[error(
        "the simulated world in {path} was made with seed {made}, not {wanted}; try `--seed {made}`, or another state directory"
    )]
    OtherSeed {
        /// The log.
        path: PathBuf,
        /// Its seed.
        made: u64,
        /// The seed asked for.
        wanted: u64,
    },
    /// A line does not fit.
    #[error(
        "the simulated world in {0}, line {1}: {2}; try another state directory: this one was changed by something else"
    )]
    Damaged(PathBuf, usize, String),
}

impl WorldError {
    fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File(path.to_owned(), error.to_string())
    }
}

/// The state of the data centre, with the log that every change of it is written to first.
#[derive(Debug)]
pub struct World {
    state: State,
    log: Option<Log>,
    records: u64,
    notes: Vec<String>,
}

impl World {
    /// A world that lives as long as the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { state: State::default(), log: None, records: 0, notes: Vec::new() }
    }

    /// The world of a state directory; an empty one if there is none yet.
    ///
    /// # Errors
    /// When the log cannot be read or written, was made with another seed or by a newer plinth, or was changed.
    pub fn open(directory: &Path, seed: u64) -> Result<Self, WorldError> {
        let opened = Log::open(directory, seed)?;
        let mut state = State::default();
        for record in &opened.records {
            state.apply(record);
        }
        let records = opened.records.len() as u64;
        Ok(Self { state, log: Some(opened.log), records, notes: opened.note.into_iter().collect() })
    }

    /// Makes an effect happen: first in the log, then in the state.
    ///
    /// # Errors
    /// When the log cannot be written; the effect did not happen then.
    pub(crate) fn record(&mut self, at: Timestamp, effect: Effect) -> Result<(), WorldError> {
        let record = Record { seq: self.records + 1, at, effect };
        if let Some(log) = &mut self.log {
            log.append(&record)?;
        }
        self.records = record.seq;
        self.state.apply(&record);
        Ok(())
    }

    /// Notes that time passed a moment on which answers depend, so that a later process never stands before it.
    pub(crate) fn catch_up(&mut self, now: Timestamp) -> Result<(), WorldError> {
        if self.state.moments.first().is_some_and(|moment| *moment <= now) {
            self.record(now, Effect::TimePassed)?;
        }
        Ok(())
    }

    /// What is true.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// How often effects of a kind (`cluster-registered`) happened in this world's life.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.state.counts.get(kind).copied().unwrap_or(0)
    }

    /// Number of effects so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What is worth saying about how the world was opened.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The final state for comparison: two runs that reached the same have equal snapshots. Free of times, of random values
    /// and of faults that fired.
    #[must_use]
    pub fn snapshot(&self) -> serde_json::Value {
        snapshot::of(&self.state)
    }
}
