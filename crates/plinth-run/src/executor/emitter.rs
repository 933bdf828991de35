//! Events on their way out: numbered, stamped, free of secrets.

use crate::journal::{JournalError, Store};
use plinth_model::run::{CommandFailure, StreamSeal, trace};
use plinth_model::{Event, EventBody, Finding, StepId};
use plinth_world::secrets::Secrets;
use plinth_world::{Clock, Context, Progress};
use std::sync::{Arc, Mutex, PoisonError};

/// Where events go.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// Numbers and stamps events.
pub(crate) struct EventEmitter {
    sink: Sink,
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn Secrets>,
    /// The run, and the trace that it is a part of.
    trace: (String, Option<String>),
    numbers: Mutex<Numbers>,
}

/// The last numbers given.
#[derive(Clone, Default)]
struct Numbers {
    seq: u64,
    /// Of an event that no reader may miss.
    lasting: u64,
    seal: StreamSeal,
}

impl Numbers {
    fn number(&mut self, at: jiff::Timestamp, mut body: EventBody) -> Event {
        self.seq += 1;
        self.seal.take(self.seq, &body);
        if let EventBody::RunFinished { digest, .. } = &mut body {
            *digest = Some(self.seal.digest());
        }
        let after = Some(self.lasting);
        if !body.may_be_missed() {
            self.lasting = self.seq;
        }
        Event { seq: self.seq, after, at, body }
    }
}

impl EventEmitter {
    pub(crate) fn new(
        sink: Sink,
        clock: Arc<dyn Clock>,
        secrets: Arc<dyn Secrets>,
        trace: (String, Option<String>),
    ) -> Arc<Self> {
        Arc::new(Self { sink, clock, secrets, trace, numbers: Mutex::default() })
    }

    /// Tells one event that is not stored: progress, or the end of a run whose journal failed. The numbers are held while the
    /// sink runs, so the order seen is the order numbered.
    pub(crate) fn say(&self, body: EventBody) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        (self.sink)(numbers.number(self.clock.now(), body));
    }

    /// Stores events, then tells them; neither when they could not be stored.
    pub(crate) fn record(&self, bodies: Vec<EventBody>, store: &mut dyn Store) -> Result<(), JournalError> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut next, at) = (numbers.clone(), self.clock.now());
        let events: Vec<Event> = bodies.into_iter().map(|body| next.number(at, body)).collect();
        store.append(&events)?;
        *numbers = next;
        events.into_iter().for_each(|event| (self.sink)(event));
        Ok(())
    }

    /// Whether nothing was told yet.
    pub(crate) fn silent(&self) -> bool {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).seq == 0
    }

    /// A context whose progress becomes events of the step.
    pub(crate) fn context(self: &Arc<Self>, step: &StepId) -> Context {
        let traceparent = trace::of_step(&self.trace.0, self.trace.1.as_deref(), step);
        let (emitter, step) = (Arc::clone(self), step.clone());
        Context::new(Arc::clone(&self.clock), move |Progress { done, total, message }| {
            let message = emitter.text(&message);
            emitter.say(EventBody::StepProgress { step: step.clone(), done, total, message });
        })
        .traced(traceparent)
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// The same for a text that many share: without a secret in it, it stays the same one.
    pub(crate) fn shared(&self, text: &Arc<str>) -> Arc<str> {
        let clean = self.text(text);
        if *clean == **text { Arc::clone(text) } else { clean.into() }
    }

    /// The lines without secrets.
    pub(crate) fn lines(&self, lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| self.text(line)).collect()
    }

    /// What is told of a program, without secrets.
    pub(crate) fn failure(&self, failure: CommandFailure) -> CommandFailure {
        failure.map_text(|text| self.text(text))
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

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_world::SystemClock;
    use plinth_world::secrets::MemorySecrets;

    #[test]
    fn what_a_step_starts_is_a_part_of_it_in_the_callers_trace() {
        let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
        let of = |trace: Option<String>, step: &str| {
            let (clock, secrets) = (Arc::new(SystemClock::new()), Arc::new(MemorySecrets::default()));
            let emitter = EventEmitter::new(Arc::new(|_| {}), clock, secrets, ("run-1".to_owned(), trace));
            let step = StepId::new("platform", "release", step);
            emitter.context(&step).traceparent().map(str::to_owned).unwrap_or_default()
        };
        let (one, other) = (of(Some(given.clone()), "a"), of(Some(given), "b"));
        assert!(one.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && one.ends_with("-01"), "{one}");
        assert_ne!(one, other);
        assert_eq!(of(None, "a").len(), 55, "a run that nobody called has a trace of its own");
    }
}
