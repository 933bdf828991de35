//! Runs for programs: what `--json` of the verbs prints, and the `.json` of a page. One builder for both, so that they cannot differ.

use super::Shown;
use plinth_analysis::{Columns, CriticalPath, FailureGroup, Replay, RunDiff, RunEntry, Subject};
use plinth_model::run::RunState;
use serde_json::{Value, json};

/// Version of all of these.
pub const SCHEMA: u32 = 1;

/// The list.
#[must_use]
pub fn list(listed: super::Listed<'_>) -> Value {
    json!({"schema": SCHEMA, "site": listed.site, "removed": listed.removed, "runs": listed.runs})
}

/// One run.
#[must_use]
pub fn overview(shown: &Shown<'_>, columns: &Columns) -> Value {
    json!({
        "schema": SCHEMA,
        "run": shown.entry,
        "whole": shown.whole,
        "gaps": shown.view.gaps(),
        "kinds": shown.kinds,
        "causes": shown.groups,
        "waiting": shown.waiting,
        "criticalPath": shown.path,
        "slow": shown.slow,
        "timeLeft": shown.outlook.left,
        "ifStoppedNow": shown.outlook.stop,
        "rehearsal": shown.outlook.rehearsal,
        "steps": columns.rows,
    })
}

/// What failed, by cause.
#[must_use]
pub fn causes(run: &str, groups: &[FailureGroup]) -> Value {
    json!({"schema": SCHEMA, "run": run, "causes": groups})
}

/// Steps that a filter chose, or the term that none fits.
#[must_use]
pub fn steps(run: &str, emptied_by: Option<&str>, chosen: &[Subject<'_>]) -> Value {
    let steps: Vec<Value> = chosen.iter().map(|one| json!({"step": one.row, "waiting": one.waiting})).collect();
    json!({"schema": SCHEMA, "run": run, "emptiedBy": emptied_by, "steps": steps})
}

/// What differs between two runs.
#[must_use]
pub fn diff(earlier: &RunEntry, later: &RunEntry, found: &RunDiff) -> Value {
    json!({
        "schema": SCHEMA,
        "from": earlier,
        "to": later,
        "plansAreRead": found.plans_are_read,
        "differences": found.differences,
    })
}

/// The critical path, with what other limits would have made of it.
#[must_use]
pub fn critical_path(run: &str, path: &CriticalPath, what_if: &[Replay]) -> Value {
    json!({"schema": SCHEMA, "run": run, "criticalPath": path, "whatIf": what_if})
}

/// The story of a run.
#[must_use]
pub fn story(shown: &Shown<'_>, told: &str) -> Value {
    json!({
        "schema": SCHEMA,
        "run": shown.entry,
        "causes": shown.groups,
        "waiting": super::sentence(shown.view, shown.waiting).filter(|_| shown.entry.state == RunState::Running),
        "timeLeft": shown.outlook.left,
        "ifStoppedNow": shown.outlook.stop,
        "rehearsal": shown.outlook.rehearsal,
        "story": told,
    })
}
