//! Events of runs as tests make them: what no test looks at is filled in here.

use jiff::Timestamp;
use plinth_model::run::{Counts, RunHead, StepEnd};
use plinth_model::{Digest, Event, EventBody, Outcome, RunView, SiteName, Stage, StepId, StepState};

pub(crate) fn id(text: &str) -> StepId {
    StepId::try_from(text.to_owned()).unwrap()
}

/// A moment, in seconds of a run that began then.
pub(crate) fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + (seconds * 1000.0) as i64).unwrap()
}

pub(crate) fn head(run: &str) -> RunHead {
    RunHead::new(run, Digest::of(""), SiteName::new("lab").unwrap())
}

pub(crate) fn started(step: StepId, node: Option<String>, needed: Option<(StepId, Timestamp)>) -> EventBody {
    let (last_need, ready_at) = needed.unzip();
    EventBody::StepStarted { step, stage: Stage::Nodes, node, reason: "r".into(), ready_at, held_by: None, last_need }
}

pub(crate) fn acting(step: StepId) -> EventBody {
    EventBody::StepActing { step, diff: Vec::new(), attempt: 1, reads_only: false, installed: None }
}

pub(crate) fn finished(step: StepId, node: Option<String>, outcome: StepState) -> EventBody {
    StepEnd { node, attempts: 1, ..StepEnd::new(step, Stage::Nodes, outcome) }.into()
}

pub(crate) fn run_finished(outcome: Outcome, seconds: f64) -> EventBody {
    EventBody::RunFinished { outcome, exit: 0, counts: Counts::default(), seconds, next: Vec::new(), digest: None }
}

/// The view of these events, numbered as they come.
pub(crate) fn view(told: impl IntoIterator<Item = (Timestamp, EventBody)>) -> RunView {
    let events = (1..).zip(told).map(|(seq, (at, body))| Event { seq, after: None, at, body });
    RunView::of(&events.collect::<Vec<_>>())
}
