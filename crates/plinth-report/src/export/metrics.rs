//! Prometheus text for node_exporter's textfile collector: a dozen series of the last run. Source: the exposition formats of Prometheus.

use super::{Exported, short};
use plinth_model::run::RunState;
use std::fmt::Write as _;

pub(super) fn metrics(run: &Exported<'_>) -> String {
    let entry = run.shown.entry;
    let counts = run.view().counts();
    let site = label("site", run.site.as_str());
    let mut out = String::new();
    let mut family = |name: &str, help: &str, series: &[(String, f64)]| {
        let _ = writeln!(out, "# HELP plinth_run_{name} {help}\n# TYPE plinth_run_{name} gauge");
        for (labels, value) in series {
            let _ = writeln!(out, "plinth_run_{name}{{{labels}}} {value}");
        }
    };
    let one = |value: f64| vec![(site.clone(), value)];
    let info = [
        site.clone(),
        label("run", &entry.run),
        label("verb", &entry.verb),
        label("plan", entry.plan.as_ref().map_or("", |plan| plan.short())),
        label("rehearsal", if entry.rehearsal { "true" } else { "false" }),
        label("version", run.plinth),
    ];
    family("info", "The last run.", &[(info.join(","), 1.0)]);
    let states = [RunState::Running, RunState::Interrupted, RunState::Done, RunState::Partly, RunState::Stopped];
    let states: Vec<(String, f64)> = states
        .iter()
        .map(|state| (format!("{site},{}", label("state", state.word())), f64::from(u8::from(*state == entry.state))))
        .collect();
    family("state", "1 for the state in which it is.", &states);
    let steps = [
        ("changed", counts.changed),
        ("unchanged", counts.unchanged),
        ("skipped", counts.skipped),
        ("failed", counts.failed),
        ("not-run", counts.not_run),
        ("running", run.view().running.len()),
    ];
    let steps: Vec<(String, f64)> =
        steps.iter().map(|(state, n)| (format!("{site},{}", label("state", state)), *n as f64)).collect();
    family("steps", "Steps by state.", &steps);
    family("steps_planned", "Steps of its plan.", &one(entry.steps as f64));
    family("nodes_failed", "Nodes with a failed step.", &one(counts.hosts_failed as f64));
    family("warnings", "Warnings.", &one(counts.warnings as f64));
    family("failure_causes", "Different causes of failures.", &one(run.shown.groups.len() as f64));
    family("retries", "Transient failures that were tried again.", &one(run.view().retries as f64));
    family("seconds", "Seconds it took, or has taken.", &one(entry.seconds));
    let path = run.shown.path;
    let kinds = [("work", path.worked_s), ("slot", path.slot_s), ("lane", path.lane_s), ("other", path.other_s)];
    let kinds: Vec<(String, f64)> = kinds.iter().map(|(of, s)| (format!("{site},{}", label("of", of)), *s)).collect();
    family("critical_path_seconds", "The critical path, by what it was spent on.", &kinds);
    let at = |at: Option<jiff::Timestamp>| at.map_or(0.0, |at| at.as_millisecond() as f64 / 1000.0);
    family("started_timestamp_seconds", "When it started.", &one(at(entry.started)));
    family("updated_timestamp_seconds", "When its newest event happened.", &one(at(entry.updated)));
    out
}

/// A label with its value escaped.
fn label(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", short(value).replace('\\', "\\\\").replace('"', "\\\""))
}
