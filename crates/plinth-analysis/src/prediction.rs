//! A run beside its rehearsal, step by step. Both have the same steps with the same ids, so nothing has to be guessed.

use crate::path::CriticalPath;
use jiff::Timestamp;
use plinth_model::run::{StepState, StepView};
use plinth_model::{Digest, RunView, StepId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of a kept prediction.
pub const PREDICTION_SCHEMA: u32 = 1;
/// A step deviates when it took so many times longer or shorter, and so many seconds.
const TIMES: f64 = 1.5;
const LEAST_S: f64 = 10.0;

/// When a step was rehearsed, in seconds since the rehearsal began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsed {
    /// When it began.
    pub from_s: f64,
    /// When it ended.
    pub to_s: f64,
    /// Seconds it took; of a step that only waits, since what it waits for began to come.
    pub took_s: f64,
    /// How it ended.
    pub state: StepState,
    /// Whether it is about one node.
    #[serde(default)]
    pub of_node: bool,
}

/// A run that came to a good end, kept to be compared with a later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Prediction {
    /// [`PREDICTION_SCHEMA`] of the release that wrote it.
    pub schema: u32,
    /// Id of the rehearsal.
    pub run: String,
    /// What was rehearsed.
    pub plan: Digest,
    /// Nodes it touched.
    pub nodes: usize,
    /// Seconds it took.
    pub seconds: f64,
    /// Steps that began in it.
    pub steps: BTreeMap<StepId, Rehearsed>,
}

/// A step that took longer or shorter than it was rehearsed, or failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deviation {
    /// A key of [`RunView::steps`].
    pub step: StepId,
    /// Seconds it took in the rehearsal.
    pub rehearsed_s: f64,
    /// Seconds it took, or has taken so far.
    pub took_s: f64,
    /// How it ended, where it should have ended well and did not.
    pub ended: Option<StepState>,
    /// Whether the end of the run waited for it.
    pub on_path: bool,
}

impl Deviation {
    /// Seconds later than rehearsed; negative: sooner.
    #[must_use]
    pub fn late_s(&self) -> f64 {
        self.took_s - self.rehearsed_s
    }
}

/// A run beside its rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RehearsalDiff {
    /// Id of the rehearsal.
    pub run: String,
    /// Whether both have the same plan.
    pub same_plan: bool,
    /// Seconds that the rehearsal took.
    pub rehearsed_s: f64,
    /// Seconds that the run took, or has taken so far.
    pub took_s: f64,
    /// Steps that both have.
    pub shared: usize,
    /// Of these, steps that ended as rehearsed, and took about as long.
    pub as_rehearsed: usize,
    /// Steps that were done already and were not in the rehearsal: no deviation.
    pub done_before: usize,
    /// Steps that only one of the two has, or has come to.
    pub others: usize,
    /// Where the run left the prediction: failures first, then what the end waited for, then by seconds.
    pub deviations: Vec<Deviation>,
}

impl Prediction {
    /// Of a run that came to a good end; none of any other: a rehearsed failure predicts nothing.
    #[must_use]
    pub fn of(view: &RunView) -> Option<Self> {
        let (head, began) = (view.run.as_ref()?, view.started?);
        let end = view.end.as_ref().filter(|end| end.outcome == plinth_model::Outcome::Done)?;
        let steps = view.steps.iter().filter_map(|(id, step)| {
            let (from_s, to_s) = times(step, began, view.at)?;
            let took_s = took(step, view.at)?;
            Some((id.clone(), Rehearsed { from_s, to_s, took_s, state: step.state, of_node: step.node.is_some() }))
        });
        Some(Self {
            schema: PREDICTION_SCHEMA,
            run: head.run.clone(),
            plan: head.plan.clone(),
            nodes: head.hosts,
            seconds: end.seconds,
            steps: steps.collect(),
        })
    }
}

impl RehearsalDiff {
    /// None when the two have no step in common, of the rehearsal itself, and of checks and small runs: what they have in common
    /// with it is not what they are about.
    #[must_use]
    pub fn of(prediction: &Prediction, view: &RunView, path: &CriticalPath) -> Option<Self> {
        let head = view.run.as_ref()?;
        if head.run == prediction.run || !head.is_whole() {
            return None;
        }
        let on_path: BTreeSet<&StepId> = path.steps.iter().map(|step| &step.step).collect();
        let both = view.steps.iter().filter_map(|(id, step)| Some((id, step, prediction.steps.get(id)?)));
        let both: Vec<_> = both.collect();
        let (mut deviations, mut as_rehearsed) = (Vec::new(), 0);
        for (id, step, rehearsed) in &both {
            match deviation(id, step, rehearsed, view.at) {
                Some(one) => deviations.push(Deviation { on_path: on_path.contains(id), ..one }),
                None => as_rehearsed += usize::from(step.state.is_done() && step.state == rehearsed.state),
            }
        }
        deviations.sort_by(|a: &Deviation, b: &Deviation| {
            let rank = |one: &Deviation| (one.ended.is_none(), !one.on_path);
            let seconds = b.late_s().abs().total_cmp(&a.late_s().abs());
            rank(a).cmp(&rank(b)).then(seconds).then_with(|| a.step.cmp(&b.step))
        });
        let done_before = both.iter().filter(|(_, step, rehearsed)| is_done_before(step, rehearsed)).count();
        let begun = view.steps.values().filter(|step| step.started.is_some()).count();
        let only_real = begun.saturating_sub(both.iter().filter(|(_, step, _)| step.started.is_some()).count());
        let diff = Self {
            run: prediction.run.clone(),
            same_plan: prediction.plan == head.plan,
            rehearsed_s: prediction.seconds,
            took_s: view.end.as_ref().map_or_else(|| view.elapsed(), |end| end.seconds),
            shared: both.len(),
            as_rehearsed,
            done_before,
            others: only_real + prediction.steps.len().saturating_sub(both.len()),
            deviations,
        };
        (diff.shared > 0).then_some(diff)
    }

    /// Where reality left the prediction: the first of the list, if it says anything about the end.
    #[must_use]
    pub fn left_at(&self) -> Option<&Deviation> {
        self.deviations.iter().find(|one| one.ended.is_some() || one.on_path)
    }

    /// Whether every step of both came to an end that can be compared: the run was neither stopped nor continued.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.as_rehearsed + self.deviations.len() == self.all()
    }

    /// Steps of either.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.shared + self.others
    }
}

fn is_done_before(step: &StepView, rehearsed: &Rehearsed) -> bool {
    step.state == StepState::Unchanged && rehearsed.state == StepState::Changed
}

fn deviation(id: &StepId, step: &StepView, rehearsed: &Rehearsed, now: Option<Timestamp>) -> Option<Deviation> {
    let rehearsed_s = rehearsed.took_s;
    let took_s = took(step, now).unwrap_or(0.0);
    let told = |ended| Deviation { step: id.clone(), rehearsed_s, took_s, ended, on_path: false };
    if step.state == StepState::Failed {
        return Some(told(Some(step.state)));
    }
    let far = (took_s - rehearsed_s).abs() >= LEAST_S;
    let longer = far && took_s >= rehearsed_s * TIMES;
    let sooner = far && step.state == rehearsed.state && took_s * TIMES <= rehearsed_s;
    let comparable = step.state.is_running() || (step.state.is_done() && !is_done_before(step, rehearsed));
    (comparable && (longer || sooner)).then(|| told(None))
}

/// Seconds it took, or has taken so far. A step that only waited could have begun as soon as it was ready: what it waited for came as soon
/// however late it began itself.
fn took(step: &StepView, now: Option<Timestamp>) -> Option<f64> {
    let only_waited = step.state == StepState::Unchanged && step.attempt > 0;
    let from = step.ready_at.filter(|_| only_waited).or(step.started)?;
    let to = if step.state.is_running() { now } else { step.ended }?;
    Some(to.duration_since(from).as_secs_f64().max(0.0))
}

/// From when to when, in seconds since the run began; to now while it runs.
fn times(step: &StepView, began: Timestamp, now: Option<Timestamp>) -> Option<(f64, f64)> {
    let from = step.started?;
    let to = if step.state.is_running() { now } else { step.ended }?;
    let since = |at: Timestamp| at.duration_since(began).as_secs_f64().max(0.0);
    Some((since(from), since(to)))
}

#[cfg(test)]
#[path = "prediction_tests.rs"]
mod tests;
