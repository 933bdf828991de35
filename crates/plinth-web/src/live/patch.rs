//! What changed between two events, in the terms of the page: texts, counts of kinds, letters of nodes. Values, never differences, so
//! that one that is applied twice does no harm.

use super::feed::Patch;
use crate::grid::Grid;
use crate::page::matrix::{letters, standing};
use crate::page::overview::{RUNNING, doing, more, slots};
use crate::page::parts::{class, counted, letter, run_class, shares, told};
use crate::page::shell::{as_of, done, elapsed, headline, silence};
use crate::record::Record;
use axum::body::Bytes;
use plinth_analysis::{kind_of, waiting};
use plinth_model::run::{RunState, StepState};
use plinth_model::span::span;
use plinth_model::{Event, StepId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Changed steps and rows beyond which a page is read again instead: a rehearsal may do an hour in a second.
const MOST: usize = 600;

/// A patch over these events, which the record has taken in already. Of a run whose runner is gone, and of a flood, pages are read again:
/// there is no list of what such a patch would have to name.
pub(crate) fn patch(record: &Record, from: u64, events: &[Event], left: Option<&str>) -> Patch {
    let seq = record.view.seq();
    let steps: BTreeSet<&StepId> = events.iter().filter_map(|event| event.body.step()).collect();
    let state = record.state();
    let reload = steps.len() > MOST || state == RunState::Interrupted;
    let value = if reload {
        json!({"seq": seq, "from": from, "reload": true, "state": [run_class(state), state.word()]})
    } else {
        body(record, from, &steps, left)
    };
    let frame = format!("id: {seq}\nevent: patch\ndata: {value}\n\n");
    Patch { from, seq, reload, frame: Bytes::from(frame) }
}

fn body(record: &Record, from: u64, steps: &BTreeSet<&StepId>, left: Option<&str>) -> Value {
    let state = record.state();
    json!({
        "seq": record.view.seq(),
        "from": from,
        "at": record.view.at.map(|at| at.to_string()),
        "state": [run_class(state), state.word()],
        "ended": record.view.end.is_some(),
        "failed": record.view.failed.len(),
        "text": texts(record, left),
        "kinds": kinds(record, steps),
        "nodes": nodes(&record.grid, record, steps),
        "steps": steps.iter().map(|step| one(record, step)).collect::<Vec<_>>(),
        "running": running(record),
    })
}

/// Texts by the id of their element.
fn texts(record: &Record, left: Option<&str>) -> BTreeMap<&'static str, String> {
    let view = &record.view;
    // Not all that a page has computed: this is done four times a second.
    let waits = if view.end.is_some() { Vec::new() } else { waiting(view, &record.shape, record.time()) };
    let mut texts = BTreeMap::from([
        ("t-elapsed", elapsed(view)),
        ("t-done", done(view)),
        ("t-asof", as_of(view)),
        ("t-sentence", headline(record, &waits, None)),
        ("t-life", silence(record, record.now()).unwrap_or_default()),
        ("t-slots", slots(view)),
        ("t-more", more(view.running.len())),
    ]);
    texts.extend(left.map(|left| ("t-left", told(left))));
    texts
}

/// Kinds whose steps changed: place, words, shares of the bar.
fn kinds(record: &Record, steps: &BTreeSet<&StepId>) -> Vec<Value> {
    let changed: BTreeSet<String> = steps.iter().map(|step| kind_of(step)).collect();
    let tallies = record.grid.tallies(&record.view);
    let all = record.grid.kinds.iter().zip(tallies).enumerate();
    let told = all.filter(|(_, (kind, _))| changed.contains(&kind.name)).map(|(at, (kind, tally))| {
        let shares: Vec<Value> = shares(&tally, kind.total)
            .iter()
            .filter(|share| share.2 > 0)
            .map(|(class, _, count)| json!([class, count]))
            .collect();
        json!([at, counted(&tally, kind.total), shares])
    });
    told.collect()
}

/// Rows of the matrix that changed: row, classes of its cells, words.
fn nodes(grid: &Grid, record: &Record, steps: &BTreeSet<&StepId>) -> Vec<Value> {
    let rows: BTreeSet<usize> = steps.iter().filter_map(|step| grid.row_of(step)).collect();
    let told =
        rows.into_iter().map(|row| json!([row, letters(grid, &record.view, row), standing(grid, &record.view, row)]));
    told.collect()
}

fn one(record: &Record, step: &StepId) -> Value {
    let state = record.view.state_of(step);
    let took = record.view.steps.get(step).and_then(|step| step.seconds).filter(|_| state.is_ended());
    json!([step, class(state), letter(state), state.told(), took.map(span).unwrap_or_default()])
}

/// Steps at work, longest first.
fn running(record: &Record) -> Vec<Value> {
    let at_work = record.view.longest_running();
    let told = at_work.iter().take(RUNNING).map(|(id, step)| {
        let state: StepState = step.state;
        let time = span(record.view.running_for(step));
        json!([class(state), letter(state), state.told(), id, time, doing(step)])
    });
    told.collect()
}
