//! Kinds: steps of the same area and verb. A plan of ten thousand steps has some thirty of them.

use plinth_model::run::{StepState, Tally};
use plinth_model::{RunView, Stage, StepId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Area and verb of a step: `nodes/account`.
#[must_use]
pub fn kind_of(step: &StepId) -> String {
    format!("{}/{}", step.area(), step.verb())
}

/// What is known of the steps of a kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KindView {
    /// `nodes/account`.
    pub kind: String,
    /// Stage of its steps.
    pub stage: Stage,
    /// Steps that something was said of, by state.
    pub tally: Tally,
    /// Seconds that half of those that ended took at most; null when none ended.
    pub median_s: Option<f64>,
    /// Seconds of the longest.
    pub longest_s: Option<f64>,
}

/// All kinds, in the order of stages and names.
#[must_use]
pub fn kinds(view: &RunView) -> Vec<KindView> {
    let mut found: BTreeMap<(Stage, String), (Tally, Vec<f64>)> = BTreeMap::new();
    for (id, step) in &view.steps {
        let (tally, seconds) = found.entry((step.stage, kind_of(id))).or_default();
        count(tally, step.state);
        seconds.extend(step.seconds.filter(|_| step.started.is_some()));
    }
    let kinds = found.into_iter().map(|((stage, kind), (tally, mut seconds))| KindView {
        kind,
        stage,
        tally,
        median_s: median(&mut seconds),
        longest_s: seconds.last().copied(),
    });
    kinds.collect()
}

/// The one in the middle; sorts what it is given.
pub fn median(seconds: &mut [f64]) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len().checked_sub(1)? / 2).copied()
}

fn count(tally: &mut Tally, state: StepState) {
    let slot = match state {
        StepState::Pending => return,
        StepState::Looking => &mut tally.looking,
        StepState::Acting => &mut tally.acting,
        StepState::Changed => &mut tally.changed,
        StepState::Unchanged => &mut tally.unchanged,
        StepState::Skipped => &mut tally.skipped,
        StepState::Failed => &mut tally.failed,
        StepState::NotRun => &mut tally.not_run,
        StepState::Unknown => &mut tally.unknown,
    };
    *slot += 1;
}
