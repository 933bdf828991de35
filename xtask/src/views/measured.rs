//! Numbers that a page or a process tells, and what many of them amount to.

use crate::commands::Failure;
use plinth_lab::LabError;
use plinth_lab::browser::Tab;
use serde_json::{Value, json};

pub(super) fn text(error: LabError) -> Failure {
    error.to_string()
}

/// The smallest value that so many of a hundred do not pass.
pub(super) fn percentile(mut values: Vec<f64>, hundredth: usize) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get((values.len() * hundredth).div_ceil(100).saturating_sub(1)).copied()
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

/// Milliseconds since 1970, as a browser counts them.
#[allow(clippy::cast_precision_loss)]
pub(super) fn now_ms() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_a_hundred_do_not_pass_it_and_the_worst_one_may() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let of = |values: &[f64], hundredth| percentile(values.to_vec(), hundredth);
        assert_eq!((of(&hundred, 99), of(&hundred, 95)), (Some(99.0), Some(95.0)));
        assert_eq!((of(&[3.0, 1.0, 2.0], 95), of(&[1.0], 50), of(&[], 95)), (Some(3.0), Some(1.0), None));
    }
}
