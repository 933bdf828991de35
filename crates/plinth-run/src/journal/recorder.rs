//! Where the executor writes to; a trait so that rehearsals and tests can stand in between.

use super::{History, Journal, JournalError, Record};
use plinth_model::Plan;

/// Takes records. Implemented by [`Journal`].
pub trait Recorder: Send {
    /// Makes all records durable, or none.
    ///
    /// # Errors
    /// When they could not be made durable, or cannot have happened.
    fn append(&mut self, records: &[Record]) -> Result<(), JournalError>;
    /// Keeps the text of the plan that is about to run, so that others can see what it is about. Harmless to repeat.
    ///
    /// # Errors
    /// When it could not be written.
    fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError>;
    /// Says that we are alive: renews the site's lock, if it was taken.
    ///
    /// # Errors
    /// When the lock is not ours any more, or could not be written.
    fn renew(&mut self) -> Result<(), JournalError>;
    /// Everything recorded so far, folded.
    fn history(&self) -> &History;
}

impl Recorder for Journal {
    fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        Journal::append(self, records)
    }

    fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError> {
        Journal::keep_plan(self, plan)
    }

    fn renew(&mut self) -> Result<(), JournalError> {
        self.renew_lock()
    }

    fn history(&self) -> &History {
        Journal::history(self)
    }
}

/// Crashes at a chosen record: a batch that reaches over it is cut there. From then on nothing is recorded, and every call
/// says [`JournalError::Crashed`]; the run ends with no further effect.
pub struct CrashAfter<'a> {
    inner: &'a mut dyn Recorder,
    records: usize,
    left: usize,
    late: bool,
    crashed: bool,
    crash: Box<dyn FnMut() + Send + 'a>,
}

impl<'a> CrashAfter<'a> {
    /// Crashes right after `records` records are durable: effects they announce do not begin.
    pub fn new(inner: &'a mut dyn Recorder, records: usize) -> Self {
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

impl Recorder for CrashAfter<'_> {
    fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        self.alive()?;
        let durable = records.len().min(self.left);
        self.inner.append(records.get(..durable).unwrap_or(records))?;
        self.left -= durable;
        if durable < records.len() || (self.left == 0 && !self.late) {
            self.crashed = true;
            (self.crash)();
        }
        self.alive()
    }

    fn keep_plan(&mut self, plan: &Plan) -> Result<(), JournalError> {
        self.alive()?;
        self.inner.keep_plan(plan)
    }

    fn renew(&mut self) -> Result<(), JournalError> {
        self.alive()?;
        self.inner.renew()
    }

    fn history(&self) -> &History {
        self.inner.history()
    }
}
