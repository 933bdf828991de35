//! Common Test Report Format: steps as tests. Source: ctrf.io, schema of version 1.0: times are milliseconds since 1970, durations
//! milliseconds, a suite is a list of names.

use super::{Exported, verdict};
use plinth_analysis::Row;
use serde_json::{Value, json};

pub(super) fn ctrf(run: &Exported<'_>) -> Value {
    let count = |wanted: &str| run.columns.rows.iter().filter(|row| verdict(row.state) == wanted).count();
    let millis = |seconds: f64| i64::try_from(run.nanos(seconds) / 1_000_000).unwrap_or(0);
    let entry = run.shown.entry;
    json!({
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "runId": entry.run,
        "generatedBy": format!("plinth {}", run.plinth),
        "results": {
            "tool": {"name": "plinth", "version": run.plinth},
            "summary": {
                "tests": run.columns.rows.len(),
                "passed": count("passed"),
                "failed": count("failed"),
                "pending": count("pending"),
                "skipped": count("skipped"),
                "other": count("other"),
                "start": millis(0.0),
                "stop": millis(run.columns.elapsed_s),
            },
            "tests": run.columns.rows.iter().map(|row| test(run, row)).collect::<Vec<_>>(),
            "environment": {
                "appName": run.site.as_str(),
                "extra": {"rehearsal": entry.rehearsal, "verb": entry.verb},
            },
        },
    })
}

fn test(run: &Exported<'_>, row: &Row) -> Value {
    let millis = |seconds: f64| i64::try_from(run.nanos(seconds) / 1_000_000).unwrap_or(0);
    let took = row.started_s.map_or(0.0, |started| run.end_of(row) - started);
    let mut test = json!({
        "name": row.step.as_str(),
        "status": verdict(row.state),
        "duration": (took * 1000.0).round().max(0.0) as u64,
        "rawStatus": row.state.word(),
        "suite": [row.stage.title(), row.kind],
        "retries": row.attempts.saturating_sub(1),
    });
    let Value::Object(fields) = &mut test else { return test };
    if let Some(started) = row.started_s {
        fields.insert("start".to_owned(), json!(millis(started)));
        fields.insert("stop".to_owned(), json!(millis(run.end_of(row))));
    }
    let detail = run.detail(row);
    if !detail.is_empty() {
        fields.insert("message".to_owned(), json!(detail));
    }
    test
}
