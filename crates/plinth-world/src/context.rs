//! What every call through a door carries. A call is cancelled by dropping its future; the executor does so at the deadline.

use crate::Clock;
use std::sync::Arc;

/// Something moved inside a long call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 when unknown.
    pub total: u64,
    /// What is being done.
    pub message: String,
}

/// Carried by every call.
#[derive(Clone)]
pub struct Context {
    clock: Arc<dyn Clock>,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl Context {
    /// A context whose progress goes to `progress`.
    pub fn new(clock: Arc<dyn Clock>, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { clock, progress: Arc::new(progress) }
    }

    /// A context that nobody watches.
    #[must_use]
    pub fn quiet(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, |_| {})
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Reports progress. Cheap; may be dropped on the way.
    pub fn progress(&self, done: u64, total: u64, message: impl Into<String>) {
        (self.progress)(Progress { done, total, message: message.into() });
    }
}
