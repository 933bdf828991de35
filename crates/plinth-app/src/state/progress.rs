//! What moves inside the steps of a run, for `plinth status` in another terminal. The journal keeps no progress: it would be written to the
//! disk many times a second. This file is replaced every few seconds, by a thread of its own, and goes with the run.

use plinth_model::run::Progress;
use plinth_model::{Event, EventBody, Problem, StepId};
use plinth_run::executor::Sink;
use plinth_world::{deadlines, files, private_file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

const FILE: &str = "progress.json";
/// Largest file that is read, bytes: 1,000 steps that run at once.
const LARGEST: usize = 1024 * 1024;

/// The steps of a run that said something, each with the last of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Told {
    schema: u32,
    run: String,
    steps: BTreeMap<StepId, Progress>,
}

/// What is shared with the thread.
#[derive(Default)]
struct Shared {
    told: Told,
    changed: bool,
}

/// The file of a run, kept as long as this lives.
pub(crate) struct ProgressFile {
    shared: Arc<Mutex<Shared>>,
    end: Option<mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    file: PathBuf,
}

impl ProgressFile {
    /// Begins one for a run.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn begin(directory: &Path, run: &str) -> Result<Self, Problem> {
        let told = Told { schema: 1, run: run.to_owned(), ..Told::default() };
        let shared = Arc::new(Mutex::new(Shared { told, changed: false }));
        let (file, (end, ended)) = (directory.join(FILE), mpsc::channel());
        let keep = {
            let (shared, file) = (Arc::clone(&shared), file.clone());
            move || {
                while ended.recv_timeout(deadlines::PROGRESS_PACE) == Err(mpsc::RecvTimeoutError::Timeout) {
                    keep(&shared, &file);
                }
            }
        };
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(keep).map_err(|error| {
            let attempt = "raise the limit on threads (`ulimit -u`)";
            Problem::while_doing("keeping the progress of the run").wrong_input(error).try_this(attempt)
        })?;
        Ok(Self { shared, end: Some(end), thread: Some(thread), file })
    }

    /// The sink, with this in front of it.
    pub(crate) fn before(&self, sink: Sink) -> Sink {
        let shared = Arc::clone(&self.shared);
        Arc::new(move |event: Event| {
            take(&shared, &event.body);
            sink(event);
        })
    }
}

impl Drop for ProgressFile {
    /// Ends the thread, then removes the file: what it says is over.
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _gone_or_never_there = std::fs::remove_file(&self.file);
    }
}

fn take(shared: &Mutex<Shared>, body: &EventBody) {
    match body {
        EventBody::StepProgress { step, done, total, message } => {
            let mut shared = lock(shared);
            let progress = Progress { done: *done, total: *total, message: message.clone() };
            shared.told.steps.insert(step.clone(), progress);
            shared.changed = true;
        }
        EventBody::StepFinished { step, .. } | EventBody::StepRetrying { step, .. } => {
            let mut shared = lock(shared);
            shared.changed |= shared.told.steps.remove(step).is_some();
        }
        _ => {}
    }
}

/// A disk that is full costs the view of others, and nothing else.
fn keep(shared: &Mutex<Shared>, file: &Path) {
    let told = {
        let mut shared = lock(shared);
        if !std::mem::take(&mut shared.changed) {
            return;
        }
        shared.told.clone()
    };
    let kept = serde_json::to_vec(&told).map_err(std::io::Error::other);
    if let Err(error) = kept.and_then(|text| private_file::write(file, &text)) {
        tracing::debug!(%error, file = %file.display(), "the progress could not be kept");
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was told of the steps of this run last; nothing when nobody keeps it.
#[must_use]
pub fn progress(directory: &Path, run: &str) -> BTreeMap<StepId, Progress> {
    let told = files::read_up_to(&directory.join(FILE), LARGEST).ok();
    let told = told.and_then(|bytes| serde_json::from_slice::<Told>(&bytes).ok());
    told.filter(|told| told.run == run).map(|told| told.steps).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plinth_model::{Stage, StepState};

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
        keep(&file.shared, &file.file);
        let told = progress(state.path(), "run-1");
        assert_eq!(told[&step], Progress { done: 85, total: 1040, message });
        assert!(progress(state.path(), "another").is_empty(), "what an earlier run left says nothing");
        sink(event(EventBody::StepFinished {
            step,
            stage: Stage::Kubernetes,
            node: None,
            outcome: StepState::Changed,
            seconds: 1.0,
            detail: String::new(),
            finding: None,
            digest: None,
            installed: None,
            attempts: 0,
            failure: None,
            held_by: None,
        }));
        keep(&file.shared, &file.file);
        assert!(progress(state.path(), "run-1").is_empty());
        assert_eq!(*seen.lock().unwrap(), 2, "every event is handed on");
        drop(file);
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
