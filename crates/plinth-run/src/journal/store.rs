//! Where the executor writes to; a trait so that a server, rehearsals and tests can stand in between.

use super::{Fence, Journal, JournalError, LockedJournal, Memory};
use plinth_model::{Event, Plan};

/// Keeps the events of one run. Implemented by [`LockedJournal`] alone in the product: who has no lock cannot write.
pub trait Store: Send {
    /// Makes all events durable, in this order, or none. Durable when it returns; progress is not to be given.
    ///
    /// # Errors
    /// When they could not be made durable, or cannot have happened. Nothing is written then.
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError>;
    /// Every event kept of this run behind `seq`, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    fn since(&self, seq: u64) -> Result<Vec<Event>, JournalError>;
    /// Keeps the text of the plan that is about to run, so that others can see what it is about. Harmless to repeat.
    ///
    /// # Errors
    /// When it could not be written.
    fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError>;
    /// Says that we are alive: renews the site's lock.
    ///
    /// # Errors
    /// When the lock is not ours any more, or could not be written.
    fn renew(&mut self) -> Result<(), JournalError>;
    /// What earlier runs left, and this one so far.
    fn memory(&self) -> &Memory;
    /// Whether the lock is ours, as far as it is known without a look. A store without a lock is always sure.
    fn fence(&self) -> Fence {
        Fence::default()
    }
}

impl Store for LockedJournal {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        LockedJournal::append(self, events)
    }

    fn since(&self, seq: u64) -> Result<Vec<Event>, JournalError> {
        LockedJournal::since(self, seq)
    }

    fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError> {
        LockedJournal::keep_plan(self, plan)
    }

    fn renew(&mut self) -> Result<(), JournalError> {
        LockedJournal::renew(self)
    }

    fn memory(&self) -> &Memory {
        Journal::memory(self)
    }

    fn fence(&self) -> Fence {
        LockedJournal::fence(self)
    }
}

/// Crashes at a chosen record, that is a durable event: a batch that reaches over it is cut there. From then on nothing is
/// recorded, and every call says [`JournalError::Crashed`]; the run ends with no further effect.
pub struct CrashAfter<'a> {
    inner: &'a mut dyn Store,
    records: usize,
    left: usize,
    late: bool,
    crashed: bool,
    crash: Box<dyn FnMut() + Send + 'a>,
}

impl<'a> CrashAfter<'a> {
    /// Crashes right after `records` records are durable: effects they announce do not begin.
    pub fn new(inner: &'a mut dyn Store, records: usize) -> Self {
        Self { inner, records, left: records, late: false, crashed: false, crash: Box::new(|| {}) }
    }

    /// Crashes only when the record behind them is about to be written: effects they announced have happened, and that is not
    /// recorded.
    #[must_use]
    pub fn late(mut self) -> Self {
        self.late = true;
        self
    }

    /// Calls this at the crash; it may end the process (`rehearse --fault crash@record:N`).
    #[must_use]
    pub fn calling(mut self, crash: impl FnMut() + Send + 'a) -> Self {
        self.crash = Box::new(crash);
        self
    }

    /// An error once the crash has happened.
    fn alive(&self) -> Result<(), JournalError> {
        if self.crashed { Err(JournalError::Crashed { records: self.records }) } else { Ok(()) }
    }
}

impl Store for CrashAfter<'_> {
    fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        self.alive()?;
        let mut records = events.iter().enumerate().filter(|(_, event)| event.body.is_durable()).map(|(at, _)| at);
        let cut = records.nth(self.left);
        let kept = events.get(..cut.unwrap_or(events.len())).unwrap_or(events);
        self.inner.append(kept)?;
        self.left -= kept.iter().filter(|event| event.body.is_durable()).count();
        if cut.is_some() || (self.left == 0 && !self.late) {
            self.crashed = true;
            (self.crash)();
        }
        self.alive()
    }

    fn since(&self, seq: u64) -> Result<Vec<Event>, JournalError> {
        self.inner.since(seq)
    }

    fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError> {
        self.alive()?;
        self.inner.keep_plan(plan)
    }

    fn renew(&mut self) -> Result<(), JournalError> {
        self.alive()?;
        self.inner.renew()
    }

    fn memory(&self) -> &Memory {
        self.inner.memory()
    }

    fn fence(&self) -> Fence {
        self.inner.fence()
    }
}
