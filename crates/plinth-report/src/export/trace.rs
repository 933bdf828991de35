//! Chrome's trace events. Steps are asynchronous pairs (`b`, `e`), which may overlap within a lane of the viewer; complete events (`X`)
//! may not. `pid` is the stage and `tid` the node, both numbers; times are microseconds. Source: the Trace Event Format document.

use super::Exported;
use plinth_analysis::Row;
use plinth_model::Stage;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn trace(run: &Exported<'_>) -> Value {
    let nodes: BTreeMap<&str, usize> = run.view().nodes.keys().map(String::as_str).zip(1..).collect();
    let place = |row: &Row| {
        let node = row.node.as_deref().and_then(|node| nodes.get(node)).copied().unwrap_or(0);
        (pid(row.stage), node)
    };
    let mut events = names(run, &nodes);
    for (number, row) in (1_usize..).zip(&run.columns.rows) {
        events.extend(step(run, row, number, place(row)));
    }
    events.extend(flows(run, &place));
    events.extend(counters(run));
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "site": run.site.as_str(),
            "run": run.shown.entry.run,
            "rehearsal": run.shown.entry.rehearsal,
            "plinth": run.plinth,
        },
    })
}

fn pid(stage: Stage) -> usize {
    Stage::ALL.iter().position(|known| *known == stage).map_or(0, |at| at + 1)
}

fn micros(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e6).round() as u64
}

/// What the viewer writes beside its lanes.
fn names(run: &Exported<'_>, nodes: &BTreeMap<&str, usize>) -> Vec<Value> {
    let mut events = Vec::new();
    for stage in run.view().stages.keys() {
        let pid = pid(*stage);
        events.push(json!({"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": stage.title()}}));
        events
            .push(json!({"ph": "M", "name": "process_sort_index", "pid": pid, "tid": 0, "args": {"sort_index": pid}}));
        for (node, tid) in nodes {
            let name = super::short(node);
            events.push(json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}}));
        }
    }
    events
}

/// The step with its waiting in front: two pairs, each with an id of its own.
fn step(run: &Exported<'_>, row: &Row, number: usize, (pid, tid): (usize, usize)) -> Vec<Value> {
    let Some(started) = row.started_s else { return Vec::new() };
    let mut events = Vec::new();
    let mut pair = |cat: &str, name: &str, id: String, (from, to): (f64, f64), args: Value| {
        let (from, to) = (micros(from), micros(to).max(micros(from)));
        events.push(
            json!({"ph": "b", "cat": cat, "name": name, "id": id, "pid": pid, "tid": tid, "ts": from, "args": args}),
        );
        events.push(json!({"ph": "e", "cat": cat, "name": name, "id": id, "pid": pid, "tid": tid, "ts": to}));
    };
    if let Some(ready) = row.ready_s.filter(|ready| started > *ready) {
        let held = row.held_by.as_ref().map_or("", |held| held.word());
        pair(
            "queued",
            "queued",
            format!("{:#x}", number * 2),
            (ready, started),
            json!({"step": row.step, "heldBy": held}),
        );
    }
    let args = json!({
        "state": row.state.word(),
        "attempts": row.attempts,
        "detail": run.detail(row),
        "queuedS": row.queued_s(),
    });
    pair("step", row.step.as_str(), format!("{:#x}", number * 2 + 1), (started, run.end_of(row)), args);
    events
}

/// Arrows along the critical path.
fn flows(run: &Exported<'_>, place: &impl Fn(&Row) -> (usize, usize)) -> Vec<Value> {
    let row = |step| run.columns.rows.iter().find(|row| row.step == step);
    let steps: Vec<&Row> = run.shown.path.steps.iter().filter_map(|one| row(one.step.clone())).collect();
    let mut events = Vec::new();
    for (id, pair) in (1_usize..).zip(steps.windows(2)) {
        let [from, to] = pair else { continue };
        let ((from_pid, from_tid), (to_pid, to_tid)) = (place(from), place(to));
        let (ended, begun) = (run.end_of(from), to.started_s.unwrap_or_default());
        let name = "critical path";
        events.push(json!({"ph": "s", "cat": "path", "name": name, "id": id, "pid": from_pid, "tid": from_tid, "ts": micros(ended)}));
        events.push(json!({"ph": "f", "bp": "e", "cat": "path", "name": name, "id": id, "pid": to_pid, "tid": to_tid, "ts": micros(begun.max(ended))}));
    }
    events
}

/// How many run and how many are ready and wait, whenever that changes.
fn counters(run: &Exported<'_>) -> Vec<Value> {
    let mut changes: BTreeMap<u64, (i64, i64)> = BTreeMap::new();
    let mut change = |at: f64, running: i64, queued: i64| {
        let slot = changes.entry(micros(at)).or_default();
        (slot.0, slot.1) = (slot.0 + running, slot.1 + queued);
    };
    for row in &run.columns.rows {
        let Some(started) = row.started_s else { continue };
        if let Some(ready) = row.ready_s {
            change(ready, 0, 1);
            change(started, 0, -1);
        }
        change(started, 1, 0);
        change(run.end_of(row), -1, 0);
    }
    let (mut running, mut queued) = (0, 0);
    let counted = changes.into_iter().map(|(at, (more, waiting))| {
        running += more;
        queued += waiting;
        json!({"ph": "C", "name": "steps", "pid": 0, "tid": 0, "ts": at, "args": {"running": running, "queued": queued}})
    });
    counted.collect()
}
