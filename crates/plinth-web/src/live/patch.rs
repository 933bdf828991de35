//! What changed between two events, in the terms of the page: texts, counts of kinds, letters of nodes, rows of steps. Values, never
//! differences, so that one that is applied twice does no harm.

use super::feed::Patch;
use crate::page::matrix;
use crate::page::node::Line;
use crate::page::overview::{RUNNING, doing, more, slots, steps as tallied};
use crate::page::parts::{class, counted, letter, run_class, shares, short, step_word, told, took};
use crate::page::runs::oldest;
use crate::page::shell::{as_of, done, elapsed, headline, retries, silence};
use crate::record::Record;
use axum::body::Bytes;
use plinth_analysis::{Waiting, kind_of, waiting};
use plinth_model::run::RunState;
use plinth_model::span::span;
use plinth_model::{Event, RunView, StepId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Changed steps and rows beyond which a page is read again instead: a rehearsal may do an hour in a second.
const MOST: usize = 600;

/// What is new of a record, which has taken it in already.
pub(crate) struct News<'a> {
    pub(crate) events: &'a [Event],
    /// Steps inside of which something moved without an event.
    pub(crate) moved: &'a [StepId],
    /// How long it still takes, where that was estimated again.
    pub(crate) left: Option<String>,
    /// Kinds or nodes have other places on pages than before.
    pub(crate) shifted: bool,
}

/// A patch of what is new. Of a run whose runner is gone, of a flood, and where rows have other places, pages are read again: there is no
/// list of what such a patch would have to name.
pub(crate) fn patch(record: &Record, from: u64, news: &News<'_>) -> Patch {
    let seq = record.view.seq();
    let told = news.events.iter().filter_map(|event| event.body.step());
    let steps: BTreeSet<&StepId> = told.chain(news.moved).collect();
    let state = record.state();
    let reload = steps.len() > MOST || state == RunState::Interrupted || news.shifted;
    let value = if reload {
        json!({"seq": seq, "from": from, "reload": true, "state": [run_class(state), state.word()]})
    } else {
        body(record, from, &steps, news.left.as_deref())
    };
    let frame = format!("id: {seq}\nevent: patch\ndata: {value}\n\n");
    Patch { from, seq, reload, frame: Bytes::from(frame) }
}

fn body(record: &Record, from: u64, steps: &BTreeSet<&StepId>, left: Option<&str>) -> Value {
    let state = record.state();
    // Not all that a page has computed: this is done four times a second.
    let waits = waiting(&record.view, &record.shape, record.time());
    json!({
        "seq": record.view.seq(),
        "from": from,
        "at": record.view.at.map(|at| at.to_string()),
        "state": [run_class(state), state.word()],
        "ended": record.view.end.is_some(),
        "failed": record.view.failed.len(),
        "gaps": record.view.gaps().len(),
        "text": texts(record, &waits, left),
        "kinds": kinds(record, steps),
        "nodes": nodes(record, steps),
        "steps": rows(record, steps, &waits),
        "running": running(record),
        "times": times(&record.view),
    })
}

/// Texts by the id of their element.
fn texts(record: &Record, waits: &[Waiting], left: Option<&str>) -> BTreeMap<&'static str, String> {
    let view = &record.view;
    let mut texts = BTreeMap::from([
        ("t-elapsed", elapsed(view)),
        ("t-done", done(view)),
        ("t-retries", retries(view)),
        ("t-asof", as_of(view)),
        ("t-sentence", headline(record, waits, None)),
        ("t-oldest", oldest(record, waits)),
        ("t-life", silence(record, record.now()).unwrap_or_default()),
        ("t-slots", slots(view)),
        ("t-more", more(view.running.len())),
        ("t-steps", tallied(view)),
    ]);
    texts.extend(left.map(|left| ("t-left", told(left))));
    texts
}

/// Kinds whose steps changed: place, words, shares of the bar, how long they usually took, and the longest.
fn kinds(record: &Record, steps: &BTreeSet<&StepId>) -> Vec<Value> {
    let changed: BTreeSet<String> = steps.iter().map(|step| kind_of(step)).collect();
    let seen = record.grid.seen(&record.view);
    let all = record.grid.kinds.iter().zip(seen).enumerate().filter(|(_, (kind, _))| changed.contains(&kind.name));
    let told = all.filter_map(|(at, (kind, seen))| {
        let seen = seen?;
        let shares: Vec<Value> = shares(&seen.tally, kind.total)
            .iter()
            .filter(|share| share.2 > 0)
            .map(|(class, _, count)| json!([class, count]))
            .collect();
        Some(json!([at, counted(&seen.tally, kind.total), shares, took(seen.median_s), took(seen.longest_s)]))
    });
    told.collect()
}

/// Rows of the matrix that changed: row, classes of its cells, words, the class of these, how long its steps took.
fn nodes(record: &Record, steps: &BTreeSet<&StepId>) -> Vec<Value> {
    let rows: BTreeSet<usize> = steps.iter().filter_map(|step| record.grid.row_of(step)).collect();
    let told = rows.into_iter().map(|row| {
        let node = matrix::Told::of(&record.grid, &record.view, row);
        json!([row, node.letters, node.words, node.class, node.work])
    });
    told.collect()
}

/// Rows of steps that changed: name, class, letter and words of the state, when it began, how long it waited and for what, how long it
/// took, what it does or why it does not, attempts, and what the last one ran into.
fn rows(record: &Record, steps: &BTreeSet<&StepId>, waits: &[Waiting]) -> Vec<Value> {
    let view = &record.view;
    let waits: HashMap<&StepId, &Waiting> =
        waits.iter().filter(|one| steps.contains(&one.step)).map(|one| (&one.step, one)).collect();
    let told = steps.iter().map(|step| {
        let (state, word) = (view.state_of(step), step_word(view, step));
        let line = Line::of(view, step, waits.get(step).copied());
        let seen = view.steps.get(*step);
        let attempts = seen.map(crate::page::step::attempts).unwrap_or_default();
        let last = seen.and_then(|step| step.waits.as_deref()).map(short).unwrap_or_default();
        json!([
            step,
            class(state),
            letter(state),
            word,
            line.began,
            line.waited,
            line.held,
            line.took,
            line.what,
            attempts,
            last
        ])
    });
    told.collect()
}

/// Steps at work, longest first.
fn running(record: &Record) -> Vec<Value> {
    let view = &record.view;
    let at_work = view.longest_running();
    let told = at_work.iter().take(RUNNING).map(|(id, step)| {
        let time = span(view.running_for(step));
        json!([class(step.state), letter(step.state), step_word(view, id), id, time, doing(step)])
    });
    told.collect()
}

/// How long the other steps at work have been: lists of steps have them, too.
fn times(view: &RunView) -> Vec<Value> {
    let others = view.longest_running().into_iter().skip(RUNNING);
    others.map(|(id, step)| json!([id, span(view.running_for(step))])).collect()
}
