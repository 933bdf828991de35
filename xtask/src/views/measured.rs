//! Numbers that a page or a process tells, and what many of them amount to.

use crate::commands::Failure;
use plinth_lab::LabError;
use plinth_lab::browser::Tab;
use serde_json::{Value, json};

pub(super) fn text(error: LabError) -> Failure {
    error.to_string()
}

/// The value that so many of a hundred do not pass.
pub(super) fn percentile(mut values: Vec<f64>, hundredth: usize) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get((values.len() * hundredth / 100).min(values.len().saturating_sub(1))).copied()
}

/// A number that an expression in a page gives.
pub(super) fn number(tab: &Tab<'_>, expression: &str) -> Result<f64, Failure> {
    let value = tab.ask(expression).map_err(text)?;
    value.as_f64().ok_or_else(|| format!("`{expression}` gives {value} and no number"))
}

/// Milliseconds of all measures with a name that the page made.
pub(super) fn measures(tab: &Tab<'_>, name: &str) -> Result<Vec<f64>, Failure> {
    let asked = format!("performance.getEntriesByName({}, 'measure').map(one => one.duration)", json!(name));
    let all = tab.ask(&asked).map_err(text)?;
    Ok(all.as_array().into_iter().flatten().filter_map(Value::as_f64).collect())
}

/// Most memory that a process had.
pub(super) fn memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().map_or(f64::NAN, |kib| kib / 1024.0)
}
