//! Journals of schema 1: they kept facts with a hash chain, and no event. Each fact becomes the events it stood for.
//!
//! What a fact did not say stays empty: times of steps that were only looked at, counts of a stopped run, the stage (taken from the
//! area of the step id). The chain is not checked: it was not signed, so it proved nothing that the database does not.

use super::JournalError;
use super::events::{self, Written};
use jiff::Timestamp;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::run::{Counts, Outcome, RunHead, StepEnd, StepState};
use plinth_model::{Digest, Event, EventBody, Exit, Finding, SiteName, Stage, StepId};
use rusqlite::{Connection, params};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

/// Schema number of these journals.
pub(super) const SCHEMA: i64 = 1;

/// Frees the name of the table of runs, which is another one now.
pub(super) const SET_ASIDE: &str = "DROP TABLE runs;";

/// Drops what was converted, with its triggers.
pub(super) const DROP: &str = "DROP TABLE facts; DROP TABLE head;";

/// What the old table held.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Fact {
    RunStarted { plan: Digest, site: SiteName, steps: usize, owner: String, rehearsal: bool, took_over: Option<String> },
    StepIntent { step: StepId, attempt: u32 },
    StepDone { step: StepId, digest: Digest, changed: bool, detail: String },
    StepFailed { step: StepId, finding: Box<Finding> },
    StepSkipped { step: StepId, gate: String, answer: String },
    GateOpened { gate: GateId, answer: GateAnswer, step: StepId },
    RunStopped { reason: String },
    RunFinished { outcome: Outcome, exit: u8, counts: Counts },
}

/// Copies the tables that are the same in both schemas.
pub(super) fn copy_common(from: &Connection, to: &Connection) -> rusqlite::Result<()> {
    let mut plans = from.prepare("SELECT hash, body FROM plans")?;
    let mut rows = plans.query([])?;
    while let Some(row) = rows.next()? {
        to.execute(
            "INSERT INTO plans VALUES (?1, ?2)",
            params![row.get::<_, String>(0)?, row.get::<_, String>(1)?.into_bytes()],
        )?;
    }
    let mut locks = from.prepare("SELECT run, user, host, pid, acquired, heartbeat, expires, note FROM lock")?;
    let mut rows = locks.query([])?;
    while let Some(row) = rows.next()? {
        let text = |index: usize| row.get::<_, Option<String>>(index);
        to.execute(
            "INSERT INTO lock (one, run, user, host, pid, acquired, heartbeat, expires, note) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![text(0)?, text(1)?, text(2)?, row.get::<_, i64>(3)?, text(4)?, text(5)?, text(6)?, text(7)?],
        )?;
    }
    Ok(())
}

/// Writes every fact as events. The caller commits.
pub(super) fn convert(from: &Connection, to: &Connection, path: &Path) -> Result<(), JournalError> {
    let sql = |error: rusqlite::Error| JournalError::of(path, &error);
    let mut facts = from.prepare("SELECT seq, run, at, payload FROM facts ORDER BY seq").map_err(sql)?;
    let mut rows = facts.query([]).map_err(sql)?;
    let (mut run, mut written) = (String::new(), Written::default());
    while let Some(row) = rows.next().map_err(sql)? {
        let seq: i64 = row.get(0).map_err(sql)?;
        let broken = |happened: String| JournalError::Broken { path: path.to_owned(), seq, happened };
        let (of, at): (String, String) = (row.get(1).map_err(sql)?, row.get(2).map_err(sql)?);
        let at: Timestamp = at.parse().map_err(|error: jiff::Error| broken(error.to_string()))?;
        let payload: String = row.get(3).map_err(sql)?;
        let fact: Fact = serde_json::from_str(&payload).map_err(|error| broken(error.to_string()))?;
        if run != of {
            (run, written) = (of, Written::default());
        }
        let events: Vec<Event> =
            (written.seq + 1..).zip(bodies(&run, fact)).map(|(seq, body)| one(seq, at, body)).collect();
        written = events::write(to, &run, &events, written).map_err(sql)?;
    }
    Ok(())
}

fn one(seq: u64, at: Timestamp, body: EventBody) -> Event {
    Event { seq, after: Some(seq - 1), at, body }
}

fn bodies(run: &str, fact: Fact) -> Vec<EventBody> {
    match fact {
        Fact::RunStarted { plan, site, steps, owner, rehearsal, took_over } => {
            vec![EventBody::RunStarted(RunHead { steps, owner, rehearsal, took_over, ..RunHead::new(run, plan, site) })]
        }
        Fact::StepIntent { step, attempt } => {
            let (stage, node, reason) = (stage(&step), node(&step), Arc::default());
            let started = EventBody::StepStarted {
                step: step.clone(),
                stage,
                node,
                reason,
                ready_at: None,
                held_by: None,
                last_need: None,
            };
            let acting = EventBody::StepActing { step, diff: Vec::new(), attempt, reads_only: false, installed: None };
            if attempt == 1 { vec![started, acting] } else { vec![acting] }
        }
        Fact::StepDone { step, digest, changed, detail } => {
            let outcome = if changed { StepState::Changed } else { StepState::Unchanged };
            vec![finished(step, outcome, detail, (None, Some(digest)))]
        }
        Fact::StepFailed { step, finding } => {
            vec![finished(step, StepState::Failed, finding.message.clone(), (Some(finding), None))]
        }
        Fact::StepSkipped { step, gate, answer } => {
            vec![finished(step, StepState::Skipped, format!("gate {gate} opened with {answer}"), (None, None))]
        }
        Fact::GateOpened { gate, answer, step } => vec![EventBody::GateOpened { gate, answer, by: Some(step) }],
        Fact::RunStopped { reason } => {
            let end = run_finished(Outcome::Stopped, Exit::Partly.code(), Counts::default());
            vec![EventBody::RunStopping { reason }, end]
        }
        Fact::RunFinished { outcome, exit, counts } => vec![run_finished(outcome, exit, counts)],
    }
}

fn finished(
    step: StepId,
    outcome: StepState,
    detail: String,
    (finding, digest): (Option<Box<Finding>>, Option<Digest>),
) -> EventBody {
    let (stage, node) = (stage(&step), node(&step));
    StepEnd { node, detail, finding, digest, ..StepEnd::new(step, stage, outcome) }.into()
}

fn run_finished(outcome: Outcome, exit: u8, counts: Counts) -> EventBody {
    EventBody::RunFinished { outcome, exit, counts, seconds: 0.0, next: Vec::new(), digest: None }
}

fn stage(step: &StepId) -> Stage {
    match step.area() {
        "bcm" => Stage::Discovery,
        "nodes" => Stage::Nodes,
        "platform" => Stage::Platform,
        "runai" => Stage::Runai,
        "checks" => Stage::Acceptance,
        _ => Stage::Kubernetes,
    }
}

fn node(step: &StepId) -> Option<String> {
    (step.area() == "nodes").then(|| step.target().to_owned())
}
