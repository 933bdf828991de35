//! Stopping a run from outside, in two levels.

use std::sync::Arc;
use tokio::sync::watch;

/// How urgently a run is to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Go on.
    #[default]
    Run,
    /// Start nothing new; finish what is in flight. An effect that fails meanwhile is looked at and not tried again.
    Finish,
    /// Drop what is in flight.
    Now,
}

/// Shared between whoever stops (a signal handler) and the run. Clones are the same signal.
#[derive(Clone, Debug)]
pub struct StopSignal(Arc<watch::Sender<StopLevel>>);

impl StopSignal {
    /// A signal at [`StopLevel::Run`].
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(StopLevel::Run)))
    }

    /// One level further: the first call lets the run finish what is in flight, the second ends it now.
    pub fn raise(&self) {
        self.0.send_modify(|level| {
            *level = if *level == StopLevel::Run { StopLevel::Finish } else { StopLevel::Now };
        });
    }

    /// The level now.
    #[must_use]
    pub fn level(&self) -> StopLevel {
        *self.0.borrow()
    }

    /// Waits until the level is above this one. Never ends at [`StopLevel::Now`].
    pub async fn above(&self, level: StopLevel) {
        let mut receiver = self.0.subscribe();
        if receiver.wait_for(|now| *now > level).await.is_err() {
            futures::future::pending::<()>().await;
        }
    }
}

impl Default for StopSignal {
    fn default() -> Self {
        Self::new()
    }
}
