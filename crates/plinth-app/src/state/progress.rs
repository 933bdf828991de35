//! What moves inside the steps of a run, for `plinth status` in another terminal.

use super::told::{self, Teller, TellingFile};
use jiff::Timestamp;
use plinth_model::run::Progress;
use plinth_model::{Event, EventBody, Problem, StepId};
use plinth_run::executor::Sink;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const FILE: &str = "progress.json";

/// The steps of a run that said something, each with the last of it.
#[derive(Default, Serialize, Deserialize)]
struct Steps {
    /// By the run's clock: in a rehearsal, whose time is virtual, nobody else knows how late it is.
    #[serde(default)]
    at: Option<Timestamp>,
    steps: BTreeMap<StepId, Progress>,
}

/// The file of a run, kept as long as this lives.
pub(crate) struct ProgressFile(TellingFile<Steps>);

impl ProgressFile {
    /// Begins one for a run.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn begin(directory: &Path, run: &str) -> Result<Self, Problem> {
        let file = TellingFile::begin(directory.join(FILE), run, Steps::default());
        file.map(Self).map_err(|error| {
            let attempt = "raise the limit on threads (`ulimit -u`)";
            Problem::while_doing("keeping the progress of the run").wrong_input(error).try_this(attempt)
        })
    }

    /// The sink, with this in front of it.
    pub(crate) fn before(&self, sink: Sink) -> Sink {
        let teller = self.0.teller();
        Arc::new(move |event: Event| {
            take(&teller, &event);
            sink(event);
        })
    }
}

fn take(teller: &Teller<Steps>, event: &Event) {
    match &event.body {
        EventBody::RunHeartbeat { .. } => teller.tell(|told| {
            told.at = told.at.max(Some(event.at));
            true
        }),
        EventBody::StepProgress { step, done, total, message } => teller.tell(|told| {
            told.at = told.at.max(Some(event.at));
            let progress = Progress { done: *done, total: *total, message: message.clone() };
            told.steps.insert(step.clone(), progress);
            true
        }),
        EventBody::StepFinished { step, .. } | EventBody::StepRetrying { step, .. } => {
            teller.tell(|told| told.steps.remove(step).is_some());
        }
        _ => {}
    }
}

/// What was told of the steps of this run last; nothing when nobody keeps it.
#[must_use]
pub fn progress(directory: &Path, run: &str) -> BTreeMap<StepId, Progress> {
    told::read(&directory.join(FILE), run).map(|told: Steps| told.steps).unwrap_or_default()
}

/// When this run last told what moves in it, by its own clock; none when nobody keeps it.
#[must_use]
pub fn told_at(directory: &Path, run: &str) -> Option<Timestamp> {
    told::read(&directory.join(FILE), run).and_then(|told: Steps| told.at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::run::StepEnd;
    use plinth_model::{Stage, StepState};
    use std::sync::Mutex;

    fn event(body: EventBody) -> Event {
        Event { seq: 1, after: None, at: jiff::Timestamp::UNIX_EPOCH, body }
    }

    #[test]
    fn others_see_what_moves_and_nothing_is_left_when_the_run_is_over() {
        let state = tempfile::tempdir().unwrap();
        let file = ProgressFile::begin(state.path(), "run-1").unwrap();
        let seen = Arc::new(Mutex::new(0));
        let sink = {
            let seen = Arc::clone(&seen);
            file.before(Arc::new(move |_| *seen.lock().unwrap() += 1))
        };
        let step = StepId::try_from("kubernetes/deploy/lab".to_owned()).unwrap();
        let message = "play 6/15: preinstall · 3 of 5 hosts, 20 s".to_owned();
        sink(event(EventBody::StepProgress { step: step.clone(), done: 85, total: 1040, message: message.clone() }));
        file.0.keep_now();
        let told = progress(state.path(), "run-1");
        assert_eq!(told[&step], Progress { done: 85, total: 1040, message });
        assert_eq!(told_at(state.path(), "run-1"), Some(jiff::Timestamp::UNIX_EPOCH));
        let beat = EventBody::RunHeartbeat { running: 1, ready: 0, slots: 4, oldest_wait: None };
        let later = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(300);
        sink(Event { at: later, ..event(beat) });
        file.0.keep_now();
        assert_eq!(told_at(state.path(), "run-1"), Some(later), "how late it is goes on while nothing is kept");
        assert!(progress(state.path(), "another").is_empty(), "what an earlier run left says nothing");
        sink(event(StepEnd { seconds: 1.0, ..StepEnd::new(step, Stage::Kubernetes, StepState::Changed) }.into()));
        file.0.keep_now();
        assert!(progress(state.path(), "run-1").is_empty());
        assert_eq!(*seen.lock().unwrap(), 3, "every event is handed on");
        drop(file);
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
