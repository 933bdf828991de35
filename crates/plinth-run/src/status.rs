//! `plinth status`: the journal folded into one small picture, also while a run is on.

use crate::journal::{History, JournalError, JournalReader, RunHistory, Standing};
use crate::lock::{Lock, LockOwner};
use jiff::Timestamp;
use plinth_model::{Digest, Outcome};
use serde::Serialize;

/// Schema number of the machine shape.
pub const SCHEMA: u32 = 1;

/// The picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The last run.
    pub run: RunStatus,
    /// Its steps.
    pub steps: StepCounts,
    /// The site's lock, if somebody holds it.
    pub lock: Option<LockStatus>,
}

/// Where the last run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A process holds the lock for it and shows signs of life.
    Running,
    /// It has no end, and nobody is at work on it.
    Interrupted,
    /// Everything is as wanted.
    Done,
    /// Some steps failed or were not reached.
    Partly,
    /// It was stopped from outside.
    Stopped,
    /// There was no run yet.
    None,
}

/// The last run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// Run id; null when there was no run.
    pub id: Option<String>,
    /// State.
    pub state: RunState,
    /// Plan hash.
    pub plan: Option<Digest>,
    /// First record.
    pub started: Option<Timestamp>,
    /// Last record.
    pub updated: Option<Timestamp>,
    /// Whether it was a rehearsal.
    pub rehearsal: bool,
}

/// Steps of the last run, by what it recorded of them. Steps that are only being looked at are not recorded and count as
/// waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepCounts {
    /// Changed, unchanged or skipped.
    pub done: usize,
    /// Their effect has begun.
    pub running: usize,
    /// Failed.
    pub failed: usize,
    /// The rest of the plan.
    pub waiting: usize,
}

/// The lock.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LockStatus {
    /// User, host and process.
    pub owner: String,
    /// Run it was taken for.
    pub run: String,
    /// Since when.
    pub acquired: Timestamp,
    /// Last renewal.
    pub heartbeat: Timestamp,
    /// When it runs out unless renewed.
    pub expires: Timestamp,
    /// Whether it still counts; otherwise the next run takes it over.
    pub alive: bool,
}

/// The picture now. `reader` is none when there is no journal; `now` is the machine's time, `ours` this process.
///
/// # Errors
/// When the journal cannot be read.
pub fn status(reader: Option<&JournalReader>, now: Timestamp, ours: &LockOwner) -> Result<Status, JournalError> {
    let Some(reader) = reader else { return Ok(fold(&History::default(), None, now, ours)) };
    Ok(fold(reader.history(), reader.lock()?.as_ref(), now, ours))
}

fn fold(history: &History, lock: Option<&Lock>, now: Timestamp, ours: &LockOwner) -> Status {
    let lock = lock.map(|lock| lock_status(lock, now, ours));
    let run = history.run.as_ref();
    let held = run.is_some_and(|run| lock.as_ref().is_some_and(|lock| lock.alive && lock.run == run.id));
    let state = run.map_or(RunState::None, |run| run_state(run, held));
    Status {
        schema: SCHEMA,
        steps: run.map(|run| count(history, run, state == RunState::Running)).unwrap_or_default(),
        run: RunStatus {
            id: run.map(|run| run.id.clone()),
            state,
            plan: run.map(|run| run.plan.clone()),
            started: run.map(|run| run.started),
            updated: run.map(|run| run.updated),
            rehearsal: run.is_some_and(|run| run.rehearsal),
        },
        lock,
    }
}

fn run_state(run: &RunHistory, held: bool) -> RunState {
    match run.outcome {
        Some(Outcome::Done) => RunState::Done,
        Some(Outcome::Partly) => RunState::Partly,
        Some(Outcome::Stopped) => RunState::Stopped,
        None if held => RunState::Running,
        None => RunState::Interrupted,
    }
}

fn lock_status(lock: &Lock, now: Timestamp, ours: &LockOwner) -> LockStatus {
    LockStatus {
        owner: lock.owner.to_string(),
        run: lock.run.clone(),
        acquired: lock.acquired,
        heartbeat: lock.heartbeat,
        expires: lock.expires,
        alive: lock.lapsed(now, ours).is_none(),
    }
}

fn count(history: &History, run: &RunHistory, running: bool) -> StepCounts {
    let mut counts = StepCounts::default();
    for step in history.steps.values().filter(|step| step.run == run.id) {
        match step.standing {
            Standing::Done { .. } | Standing::Skipped => counts.done += 1,
            Standing::Failed => counts.failed += 1,
            Standing::Intended { .. } if running => counts.running += 1,
            Standing::Intended { .. } => {}
        }
    }
    counts.waiting = run.steps.saturating_sub(counts.done + counts.running + counts.failed);
    counts
}
