//! The slow one: a node that took far longer than its like, and whether it did so before.

use crate::columns::{Columns, Row};
use crate::failures::Traits;
use crate::kinds::median;
use plinth_model::StepId;
use plinth_model::run::StepState;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many times the median of its kind is slow.
const TIMES: f64 = 3.0;
/// So many deviations from the median, so that a kind that scatters by itself accuses nobody.
const DEVIATIONS: f64 = 5.0;
/// The median of the distances from the median is this part of a standard deviation.
const OF_DEVIATION: f64 = 1.4826;
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
    /// What the node was compared with: nodes of this hardware; null: all.
    pub hardware: Option<String>,
    /// Seconds it took.
    pub seconds: f64,
    /// Seconds that half of its like took at most.
    pub median_s: f64,
    /// How many times the median.
    pub times: f64,
    /// In how many runs in a row it was slow, this one counted.
    pub in_a_row: usize,
}

/// Hardware of nodes by their names, in words; nodes of which none is known are each other's like.
pub type Hardware = BTreeMap<String, String>;

/// Nodes by what they are made of: a node is slow among its like. BCM's categories follow the hardware, and only that is kept here. One of
/// which nothing is known has none.
#[must_use]
pub fn hardware(traits: &Traits) -> Hardware {
    let of = |traits: &BTreeMap<String, String>| {
        let parts = ["GPUs", "CPUs", "architecture"].iter().filter_map(|part| {
            let value = traits.get(*part)?;
            Some(if *part == "architecture" { value.clone() } else { format!("{value} {part}") })
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    let known = traits.iter().map(|(node, traits)| (node.clone(), of(traits)));
    known.filter(|(_, parts)| !parts.is_empty()).collect()
}

/// Steps on nodes that took three times the median of their kind or longer, and noticeably so, each among nodes of its own hardware; the
/// slowest first. Kinds with fewer than four steps that ended are not judged; hardware of too few nodes to have a usual time is judged among
/// all. `earlier` are runs before this one, newest first: how often it was slow in a row.
#[must_use]
pub fn slow_nodes(columns: &Columns, hardware: &Hardware, earlier: &[Columns]) -> Vec<Slow> {
    let (mut slow, _) = judged(columns, hardware);
    if !slow.is_empty() && !earlier.is_empty() {
        let before: Vec<_> = earlier.iter().map(|columns| judged(columns, hardware)).collect();
        for one in &mut slow {
            // A run in which this was not judged says nothing for or against it.
            let told = before.iter().filter(|(_, judged)| judged.contains(&one.step));
            one.in_a_row += told.take_while(|(slow, _)| slow.iter().any(|other| other.step == one.step)).count();
        }
    }
    slow.sort_by(|a, b| b.times.total_cmp(&a.times).then_with(|| a.step.cmp(&b.step)));
    slow
}

/// The slow ones, and all that had a usual time to be judged by.
fn judged(columns: &Columns, hardware: &Hardware) -> (Vec<Slow>, BTreeSet<StepId>) {
    // One that had nothing to do is not the like of one that worked.
    let mut groups: BTreeMap<(&str, StepState), Vec<Seen<'_>>> = BTreeMap::new();
    for row in &columns.rows {
        if let Some(seen) = Seen::of(row, hardware) {
            groups.entry((&row.kind, row.state)).or_default().push(seen);
        }
    }
    let (mut slow, mut known) = (Vec::new(), BTreeSet::new());
    for rows in groups.into_values() {
        let mut by_hardware: BTreeMap<Option<&str>, Vec<Seen<'_>>> = BTreeMap::new();
        rows.iter().for_each(|row| by_hardware.entry(row.hardware).or_default().push(*row));
        for (name, own) in by_hardware {
            let (among, name) = if own.len() >= FEWEST { (&own, name) } else { (&rows, None) };
            let Some(usual) = Usual::of(among) else { continue };
            known.extend(own.iter().map(|row| row.step.clone()));
            slow.extend(own.iter().filter(|row| usual.is_slow(row.took)).map(|row| usual.told(row, name)));
        }
    }
    (slow, known)
}

#[derive(Clone, Copy)]
struct Seen<'a> {
    step: &'a StepId,
    node: &'a str,
    hardware: Option<&'a str>,
    took: f64,
}

impl<'a> Seen<'a> {
    fn of(row: &'a Row, hardware: &'a Hardware) -> Option<Self> {
        let (node, took) = (row.node.as_deref()?, row.took_s().filter(|_| row.state.is_done())?);
        Some(Self { step: &row.step, node, hardware: hardware.get(node).map(String::as_str), took })
    }
}

/// What a group usually takes.
struct Usual {
    median: f64,
    deviation: f64,
}

impl Usual {
    fn of(rows: &[Seen<'_>]) -> Option<Self> {
        let mut seconds: Vec<f64> = rows.iter().map(|row| row.took).collect();
        let middle = median(&mut seconds).filter(|_| rows.len() >= FEWEST)?;
        let mut distances: Vec<f64> = seconds.iter().map(|took| (took - middle).abs()).collect();
        Some(Self { median: middle, deviation: median(&mut distances)? * OF_DEVIATION })
    }

    fn is_slow(&self, took: f64) -> bool {
        took >= self.median * TIMES && took - self.median >= LEAST_S.max(self.deviation * DEVIATIONS)
    }

    fn told(&self, row: &Seen<'_>, hardware: Option<&str>) -> Slow {
        Slow {
            step: row.step.clone(),
            node: row.node.to_owned(),
            hardware: hardware.map(str::to_owned),
            seconds: row.took,
            median_s: self.median,
            times: row.took / self.median.max(0.001),
            in_a_row: 1,
        }
    }
}

#[cfg(test)]
#[path = "slow_tests.rs"]
mod tests;
