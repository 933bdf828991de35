//! The slow one: a node that took far longer than its like.

use crate::columns::Columns;
use crate::kinds::median;
use plinth_model::StepId;
use serde::Serialize;
use std::collections::BTreeMap;

/// So many times the median of its kind is slow.
const TIMES: f64 = 3.0;
/// Fewer steps of a kind than this have no usual time.
const FEWEST: usize = 4;
/// Seconds beyond the median below which nobody cares.
const LEAST_S: f64 = 5.0;

/// A step that took long.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Slow {
    /// Compared only with steps of the same kind in the same run.
    pub step: StepId,
    /// Hostname; steps that touch no node are not compared.
    pub node: String,
    /// Seconds it took.
    pub seconds: f64,
    /// Seconds that half of its kind took at most.
    pub median_s: f64,
    /// How many times the median.
    pub times: f64,
}

/// Steps on nodes that took three times the median of their kind or longer, and noticeably so; the slowest first. Kinds with fewer than
/// four steps that ended are not judged.
#[must_use]
pub fn slow_ones(columns: &Columns) -> Vec<Slow> {
    let mut by_kind: BTreeMap<&str, Vec<(&StepId, &str, f64)>> = BTreeMap::new();
    for row in &columns.rows {
        if let (Some(node), Some(seconds), true) = (&row.node, row.took_s(), row.state.is_done()) {
            by_kind.entry(&row.kind).or_default().push((&row.step, node, seconds));
        }
    }
    let mut slow: Vec<Slow> = by_kind.into_values().flat_map(|rows| of_kind(&rows)).collect();
    slow.sort_by(|a, b| b.times.total_cmp(&a.times).then_with(|| a.step.cmp(&b.step)));
    slow
}

fn of_kind(rows: &[(&StepId, &str, f64)]) -> Vec<Slow> {
    let mut seconds: Vec<f64> = rows.iter().map(|row| row.2).collect();
    let Some(usual) = median(&mut seconds).filter(|_| rows.len() >= FEWEST) else { return Vec::new() };
    let is_slow = |took: f64| took >= usual * TIMES && took - usual >= LEAST_S;
    rows.iter()
        .filter(|(_, _, took)| is_slow(*took))
        .map(|(step, node, took)| Slow {
            step: (*step).clone(),
            node: (*node).to_owned(),
            seconds: *took,
            median_s: usual,
            times: took / usual.max(0.001),
        })
        .collect()
}
