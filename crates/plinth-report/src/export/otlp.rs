//! OTLP traces as JSON: ids are hexadecimal digits (not base64, as Protobuf's own JSON has bytes), 64-bit numbers are texts. Source: the
//! OTLP specification, "JSON Protobuf Encoding".
//!
//! A trace of ten thousand spans breaks viewers. So one trace has the run, its kinds, what failed, the critical path and the longest steps;
//! each node has a trace of its own with all of its steps, linked to the first.

use super::Exported;
use plinth_analysis::Row;
use plinth_model::run::RunState;
use plinth_model::run::trace::{of_run, span_id, trace_id};
use plinth_model::{StepId, StepState};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Steps in the first trace beside those that failed or are on the critical path.
const LONGEST: usize = 500;

/// Names of the semantic conventions for pipelines, which are still in development: they stand in one place.
mod names {
    pub(super) const PIPELINE: &str = "cicd.pipeline.name";
    pub(super) const RUN: &str = "cicd.pipeline.run.id";
    pub(super) const RESULT: &str = "cicd.pipeline.result";
    pub(super) const TASK: &str = "cicd.pipeline.task.name";
    pub(super) const TASK_RUN: &str = "cicd.pipeline.task.run.id";
    pub(super) const TASK_RESULT: &str = "cicd.pipeline.task.run.result";
}

pub(super) fn otlp(run: &Exported<'_>) -> Value {
    let trace = Trace::of(run);
    let mut spans = vec![trace.root(run)];
    spans.extend(kinds(run, &trace));
    let chosen = chosen(run);
    let first = run.columns.rows.iter().filter(|row| chosen.contains(&row.step));
    spans.extend(first.filter_map(|row| step(run, row, &trace.id, &span_id(&["kind", &row.kind, &trace.run]))));
    spans.extend(nodes(run, &trace));
    let attributes = vec![
        text("service.name", "plinth"),
        text("service.version", run.plinth),
        text("plinth.site", run.site.as_str()),
        flag("plinth.rehearsal", run.shown.entry.rehearsal),
    ];
    let scope = json!({"name": "plinth", "version": run.plinth});
    json!({"resourceSpans": [{
        "resource": {"attributes": attributes},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}

/// Ids of the first trace: those of whoever called plinth, where it was given them.
struct Trace {
    id: String,
    parent: Option<String>,
    root: String,
    run: String,
}

impl Trace {
    fn of(run: &Exported<'_>) -> Self {
        let head = run.view().run.as_ref();
        let given = head.and_then(|head| head.traceparent.as_deref());
        let name = run.shown.entry.run.clone();
        let (id, parent) = of_run(&name, given);
        Self { id, parent, root: span_id(&["run", &name]), run: name }
    }

    fn root(&self, run: &Exported<'_>) -> Value {
        let entry = run.shown.entry;
        let (result, code) = match entry.state {
            RunState::Done => ("success", 1),
            RunState::Partly => ("failure", 2),
            RunState::Stopped | RunState::Interrupted => ("cancellation", 2),
            RunState::Running | RunState::None => ("", 0),
        };
        let mut attributes = vec![text(names::PIPELINE, run.site.as_str()), text(names::RUN, &entry.run)];
        if !result.is_empty() {
            attributes.push(text(names::RESULT, result));
        }
        attributes.push(number("plinth.steps", entry.steps));
        let verb = if entry.verb.is_empty() { "run" } else { entry.verb.as_str() };
        let times = (0.0, run.columns.elapsed_s);
        let mut span = span(run, (&self.id, &self.root), &format!("plinth {verb}"), times, (attributes, code, ""));
        if let (Some(parent), Value::Object(fields)) = (&self.parent, &mut span) {
            fields.insert("parentSpanId".to_owned(), json!(parent));
        }
        span
    }
}

/// A span for each kind, as long as its steps.
fn kinds(run: &Exported<'_>, trace: &Trace) -> Vec<Value> {
    let mut found: BTreeMap<&str, (f64, f64, usize, usize)> = BTreeMap::new();
    for row in &run.columns.rows {
        let Some(started) = row.started_s else { continue };
        let slot = found.entry(&row.kind).or_insert((started, started, 0, 0));
        *slot = (slot.0.min(started), slot.1.max(run.end_of(row)), slot.2 + 1, slot.3);
        slot.3 += usize::from(row.state == StepState::Failed);
    }
    let spans = found.into_iter().map(|(kind, (from, to, steps, failed))| {
        let attributes =
            vec![text(names::TASK, kind), number("plinth.steps", steps), number("plinth.steps.failed", failed)];
        let id = span_id(&["kind", kind, &trace.run]);
        let code = if failed > 0 { 2 } else { 1 };
        child(span(run, (&trace.id, &id), kind, (from, to), (attributes, code, "")), &trace.root)
    });
    spans.collect()
}

/// Steps of the first trace.
fn chosen(run: &Exported<'_>) -> BTreeSet<StepId> {
    let mut by_length: Vec<&Row> = run.columns.rows.iter().filter(|row| row.started_s.is_some()).collect();
    let took = |row: &Row| run.end_of(row) - row.started_s.unwrap_or_default();
    by_length.sort_by(|a, b| took(b).total_cmp(&took(a)).then_with(|| a.step.cmp(&b.step)));
    let mut chosen: BTreeSet<StepId> = by_length.iter().take(LONGEST).map(|row| row.step.clone()).collect();
    chosen.extend(run.view().failed.iter().cloned());
    chosen.extend(run.shown.path.steps.iter().map(|one| one.step.clone()));
    chosen
}

/// A trace for each node, linked to the first.
fn nodes(run: &Exported<'_>, trace: &Trace) -> Vec<Value> {
    let mut by_node: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in run.columns.rows.iter().filter(|row| row.started_s.is_some()) {
        if let Some(node) = &row.node {
            by_node.entry(node).or_default().push(row);
        }
    }
    let mut spans = Vec::new();
    for (node, rows) in by_node {
        let (id, root) = (trace_id(&["node", node, &trace.run]), span_id(&["node", node, &trace.run]));
        let from = rows.iter().filter_map(|row| row.started_s).fold(f64::INFINITY, f64::min);
        let to = rows.iter().map(|row| run.end_of(row)).fold(from, f64::max);
        let code = if rows.iter().any(|row| row.state == StepState::Failed) { 2 } else { 1 };
        let attributes = vec![text("host.name", &super::short(node)), text(names::RUN, &trace.run)];
        let mut whole = span(run, (&id, &root), &super::short(node), (from, to), (attributes, code, ""));
        if let Value::Object(fields) = &mut whole {
            fields.insert("links".to_owned(), json!([{"traceId": trace.id, "spanId": trace.root}]));
        }
        spans.push(whole);
        spans.extend(rows.into_iter().filter_map(|row| step(run, row, &id, &root)));
    }
    spans
}

fn step(run: &Exported<'_>, row: &Row, trace: &str, parent: &str) -> Option<Value> {
    let started = row.started_s?;
    let (result, code) = match row.state {
        StepState::Changed | StepState::Unchanged => ("success", 1),
        StepState::Skipped => ("skip", 0),
        StepState::Failed => ("failure", 2),
        StepState::NotRun | StepState::Unknown => ("cancellation", 0),
        StepState::Pending | StepState::Looking | StepState::Acting => ("", 0),
    };
    let mut attributes = vec![
        text(names::TASK, &row.kind),
        text(names::TASK_RUN, row.step.as_str()),
        text("plinth.state", row.state.word()),
        number("plinth.attempts", usize::try_from(row.attempts).unwrap_or(usize::MAX)),
        json!({"key": "plinth.queued_seconds", "value": {"doubleValue": row.queued_s()}}),
    ];
    attributes.extend(row.node.as_ref().map(|node| text("host.name", &super::short(node))));
    attributes.extend((!result.is_empty()).then(|| text(names::TASK_RESULT, result)));
    attributes.extend(row.held_by.as_ref().map(|held| text("plinth.held_by", held.word())));
    let message = if code == 2 { run.detail(row) } else { String::new() };
    let id = span_id(&[row.step.as_str(), trace]);
    let times = (started, run.end_of(row));
    Some(child(span(run, (trace, &id), row.step.as_str(), times, (attributes, code, &message)), parent))
}

fn span(
    run: &Exported<'_>,
    (trace, id): (&str, &str),
    name: &str,
    (from, to): (f64, f64),
    (attributes, code, message): (Vec<Value>, u8, &str),
) -> Value {
    let status = if message.is_empty() { json!({"code": code}) } else { json!({"code": code, "message": message}) };
    json!({
        "traceId": trace,
        "spanId": id,
        "name": name,
        // SPAN_KIND_INTERNAL
        "kind": 1,
        "startTimeUnixNano": run.nanos(from).to_string(),
        "endTimeUnixNano": run.nanos(to.max(from)).to_string(),
        "attributes": attributes,
        "status": status,
    })
}

fn child(mut span: Value, parent: &str) -> Value {
    if let Value::Object(fields) = &mut span {
        fields.insert("parentSpanId".to_owned(), json!(parent));
    }
    span
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn number(key: &str, value: usize) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

fn flag(key: &str, value: bool) -> Value {
    json!({"key": key, "value": {"boolValue": value}})
}
