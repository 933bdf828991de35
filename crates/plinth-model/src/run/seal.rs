//! A digest of the events of a run, which its last event carries: whoever reads a stream knows whether it is whole.

use super::{Event, EventBody};
use crate::Digest;
use sha2::{Digest as _, Sha256};

/// Takes in the events of a run, in order. Only what tells them apart counts: number, kind, step and outcome; so a reader of another
/// release, or one that got other forms of the same characters, comes to the same digest. Progress and heartbeats do not count.
#[derive(Clone, Debug, Default)]
pub struct StreamSeal(Sha256);

impl StreamSeal {
    /// Takes one event in; the last event of a run and all that may be missed count nothing.
    pub fn take(&mut self, seq: u64, body: &EventBody) {
        if body.may_be_missed() || matches!(body, EventBody::RunFinished { .. }) {
            return;
        }
        let step = body.step().map_or("", |step| step.as_str());
        let outcome = if let EventBody::StepFinished { outcome, .. } = body { outcome.word() } else { "" };
        self.0.update(format!("{seq} {} {step} {outcome}\n", body.kind()));
    }

    /// The digest so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_hash(self.0.clone())
    }

    /// Whether the events of a run are all there, by what their last one says. None when it says nothing: the run has not ended, or
    /// was of an older plinth.
    #[must_use]
    pub fn holds(events: &[Event]) -> Option<bool> {
        let Some(EventBody::RunFinished { digest: Some(digest), .. }) = events.last().map(|event| &event.body) else {
            return None;
        };
        let mut seal = Self::default();
        events.iter().for_each(|event| seal.take(event.seq, &event.body));
        Some(seal.digest() == *digest)
    }
}
