//! Events on their way out: numbered, stamped, free of secrets.

use plinth_model::{Event, EventBody, Finding, StepId};
use plinth_world::secrets::Secrets;
use plinth_world::{Clock, Context, Progress};
use std::sync::{Arc, Mutex, PoisonError};

/// Where events go.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// Numbers and stamps events.
pub(crate) struct Announcer {
    sink: Sink,
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn Secrets>,
    seq: Mutex<u64>,
}

impl Announcer {
    pub(crate) fn new(sink: Sink, clock: Arc<dyn Clock>, secrets: Arc<dyn Secrets>) -> Arc<Self> {
        Arc::new(Self { sink, clock, secrets, seq: Mutex::new(0) })
    }

    /// Sends one event. The number is held while the sink runs, so the order seen is the order numbered.
    pub(crate) fn say(&self, body: EventBody) {
        let mut seq = self.seq.lock().unwrap_or_else(PoisonError::into_inner);
        *seq += 1;
        (self.sink)(Event { seq: *seq, at: self.clock.now(), body });
    }

    /// Whether nothing was said yet.
    pub(crate) fn silent(&self) -> bool {
        *self.seq.lock().unwrap_or_else(PoisonError::into_inner) == 0
    }

    /// A context whose progress becomes events of the step.
    pub(crate) fn context(self: &Arc<Self>, step: &StepId) -> Context {
        let (announcer, step) = (Arc::clone(self), step.clone());
        Context::new(Arc::clone(&self.clock), move |Progress { done, total, message }| {
            let message = announcer.text(&message);
            announcer.say(EventBody::StepProgress { step: step.clone(), done, total, message });
        })
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// The lines without secrets.
    pub(crate) fn lines(&self, lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| self.text(line)).collect()
    }

    /// The finding without secrets.
    pub(crate) fn finding(&self, mut finding: Finding) -> Finding {
        finding.subject = self.text(&finding.subject);
        finding.message = self.text(&finding.message);
        finding.fix = self.text(&finding.fix);
        finding.evidence = self.lines(&finding.evidence);
        finding
    }
}
