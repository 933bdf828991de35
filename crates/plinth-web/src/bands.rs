//! How many steps of each kind ran and waited, by time: what a timeline of thousands of steps shows first.

use crate::grid::Grid;
use crate::record::Record;
use plinth_analysis::{Columns, CriticalPath, Rehearsed, Row, kind_of};
use plinth_model::run::StepState;
use plinth_model::{Stage, StepId};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Band {
    /// `nodes/account`.
    pub(crate) kind: String,
    /// Steps that ran, by time.
    pub(crate) running: Vec<u32>,
    /// Steps that were ready and did not run: no slot, or their lane was taken.
    pub(crate) queued: Vec<u32>,
    /// Steps that failed then.
    pub(crate) failed: Vec<u32>,
    /// Steps that ran then in the rehearsal.
    pub(crate) rehearsed: Vec<u32>,
}

/// When steps ran in the rehearsal that a run is laid over, if there is one.
pub(crate) type Ghost<'a> = Option<&'a BTreeMap<StepId, Rehearsed>>;

/// From when to when something of each stage ran; stages in their order.
pub(crate) fn stages(columns: &Columns) -> Vec<(Stage, f64, f64)> {
    let mut found: BTreeMap<Stage, (f64, f64)> = BTreeMap::new();
    for row in &columns.rows {
        let Some(from) = row.started_s else { continue };
        let to = row.ended_s.unwrap_or(columns.elapsed_s);
        let extent = found.entry(row.stage).or_insert((from, to));
        *extent = (extent.0.min(from), extent.1.max(to));
    }
    let in_order = |stage| found.get(&stage).map(|(from, to)| (stage, *from, *to));
    Stage::ALL.into_iter().filter_map(in_order).collect()
}

impl Band {
    /// All kinds that something ran of, in the order in which they began, in so many pieces of time.
    pub(crate) fn all(columns: &Columns, grid: &Grid, ghost: Ghost<'_>, bins: usize) -> Vec<Self> {
        let bins = bins.max(1);
        let mut changes: HashMap<&str, Changes> = HashMap::new();
        let scale = bins as f64 / columns.elapsed_s.max(f64::MIN_POSITIVE);
        for row in &columns.rows {
            if let Some(started) = row.started_s {
                let change = changes.entry(row.kind.as_str()).or_insert_with(|| Changes::new(bins));
                change.take(row, started, columns.elapsed_s, scale);
            }
        }
        for (step, rehearsed) in ghost.into_iter().flatten().filter(|(_, step)| step.from_s < columns.elapsed_s) {
            if let Some(change) = changes.get_mut(kind_of(step).as_str()) {
                add(&mut change.rehearsed, rehearsed.from_s, rehearsed.to_s, scale);
            }
        }
        let band = |name: &String| changes.remove(name.as_str()).map(|changes| changes.band(name));
        let mut kinds: Vec<Band> = grid.kinds.iter().map(|kind| &kind.name).filter_map(band).collect();
        kinds.sort_by_key(|band| band.running.iter().zip(&band.queued).position(|(a, b)| a + b > 0));
        kinds
    }
}

/// Where counts go up and down.
struct Changes {
    running: Vec<i64>,
    queued: Vec<i64>,
    failed: Vec<u32>,
    rehearsed: Vec<i64>,
}

impl Changes {
    fn new(bins: usize) -> Self {
        let none = vec![0; bins + 1];
        Self { running: none.clone(), queued: none.clone(), failed: vec![0; bins], rehearsed: none }
    }

    fn take(&mut self, row: &Row, started: f64, now: f64, scale: f64) {
        let ended = row.ended_s.unwrap_or(now);
        add(&mut self.running, started, ended, scale);
        // A start without waiting is no waiting, also where it would fill a piece of time.
        if let Some(ready) = row.ready_s.filter(|ready| started - ready >= 0.05) {
            add(&mut self.queued, ready, started, scale);
        }
        if row.state == StepState::Failed {
            let at = bin(ended, scale).min(self.failed.len().saturating_sub(1));
            if let Some(slot) = self.failed.get_mut(at) {
                *slot += 1;
            }
        }
    }

    fn band(self, kind: &str) -> Band {
        Band {
            kind: kind.to_owned(),
            running: summed(&self.running),
            queued: summed(&self.queued),
            failed: self.failed,
            rehearsed: summed(&self.rehearsed),
        }
    }
}

fn add(changes: &mut [i64], from: f64, to: f64, scale: f64) {
    let last = changes.len().saturating_sub(1);
    let (begin, end) = (bin(from, scale).min(last.saturating_sub(1)), bin(to, scale).min(last.saturating_sub(1)) + 1);
    if let Some(slot) = changes.get_mut(begin) {
        *slot += 1;
    }
    if let Some(slot) = changes.get_mut(end) {
        *slot -= 1;
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn bin(seconds: f64, scale: f64) -> usize {
    // A float to integer cast saturates: what is negative or no number is 0.
    (seconds * scale).floor() as usize
}

fn summed(changes: &[i64]) -> Vec<u32> {
    let counts = changes.iter().scan(0_i64, |count, change| {
        *count += change;
        Some(u32::try_from(*count).unwrap_or(0))
    });
    counts.take(changes.len().saturating_sub(1)).collect()
}

/// Times of all steps as columns: what the timeline in the browser draws.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Times<'a> {
    schema: u32,
    seq: u64,
    elapsed_s: f64,
    kinds: Vec<&'a str>,
    /// Place of the kind of each step in `kinds`.
    kind: Vec<usize>,
    target: Vec<&'a str>,
    /// Seconds since the start, rounded to hundredths; null: not known, or not yet.
    ready: Vec<Option<f64>>,
    started: Vec<Option<f64>>,
    ended: Vec<Option<f64>>,
    /// States as the letters of the style sheet.
    state: String,
    /// What held each one, as a word; empty for nothing.
    held: Vec<&'static str>,
    /// Steps on the critical path, as places, first step first.
    path: Vec<usize>,
    /// When each step ran in the rehearsal; empty when there is none to lay it over.
    rehearsed: Vec<Option<(f64, f64)>>,
    /// Steps that had begun by then in the rehearsal and have not here: kind, from, to.
    late: Vec<(usize, f64, f64)>,
    /// From when to when something of each stage ran.
    stages: Vec<(&'static str, f64, f64)>,
    /// The run is small: each step is drawn, and not kinds of them.
    single: bool,
}

/// So many steps are drawn one by one; of more, kinds are.
const SINGLE: usize = 150;

/// Whether each step of a run is drawn, and not kinds of them.
pub(crate) fn is_single(columns: &Columns) -> bool {
    columns.rows.iter().filter(|row| row.started_s.is_some()).count() <= SINGLE
}

impl<'a> Times<'a> {
    /// Of a run.
    pub(crate) fn of(columns: &'a Columns, grid: &'a Grid, path: &CriticalPath, record: &Record) -> Self {
        let kinds: Vec<&str> = grid.kinds.iter().map(|kind| kind.name.as_str()).collect();
        let places: HashMap<&str, usize> = kinds.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let rows: Vec<&Row> = columns.rows.iter().filter(|row| row.started_s.is_some()).collect();
        let at: HashMap<&StepId, usize> = rows.iter().enumerate().map(|(at, row)| (&row.step, at)).collect();
        let rounded = |seconds: Option<f64>| seconds.map(|seconds| (seconds * 100.0).round() / 100.0);
        let held = |row: &&Row| row.held_by.as_ref().filter(|_| row.queued_s() > 0.0).map_or("", |held| held.word());
        let ghost = record.rehearsed();
        let rehearsed = ghost.map(|steps| {
            let of = |row: &&Row| steps.get(&row.step).map(|step| (step.from_s, step.to_s));
            rows.iter().map(of).collect()
        });
        let late =
            ghost.into_iter().flatten().filter(|(id, step)| step.from_s < columns.elapsed_s && !at.contains_key(id));
        let late = late.filter_map(|(id, step)| Some((*places.get(kind_of(id).as_str())?, step.from_s, step.to_s)));
        Self {
            schema: 1,
            seq: record.view.seq(),
            elapsed_s: columns.elapsed_s,
            rehearsed: rehearsed.unwrap_or_default(),
            late: late.collect(),
            stages: stages(columns).into_iter().map(|(stage, from, to)| (stage.title(), from, to)).collect(),
            single: is_single(columns),
            kind: rows.iter().map(|row| places.get(row.kind.as_str()).copied().unwrap_or(0)).collect(),
            target: rows.iter().map(|row| row.step.target()).collect(),
            ready: rows.iter().map(|row| rounded(row.ready_s)).collect(),
            started: rows.iter().map(|row| rounded(row.started_s)).collect(),
            ended: rows.iter().map(|row| rounded(row.ended_s)).collect(),
            state: rows.iter().map(|row| crate::page::parts::class(row.state)).collect(),
            held: rows.iter().map(held).collect(),
            path: path.steps.iter().filter_map(|step| at.get(&step.step).copied()).collect(),
            kinds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_moment() {
        let mut changes = vec![0; 11];
        add(&mut changes, 0.0, 4.9, 1.0);
        add(&mut changes, 3.0, 100.0, 1.0);
        assert_eq!(summed(&changes), [1, 1, 1, 2, 2, 1, 1, 1, 1, 1]);
        add(&mut changes, -5.0, f64::NAN, 1.0);
        assert_eq!(summed(&changes).first(), Some(&2));
    }
}
