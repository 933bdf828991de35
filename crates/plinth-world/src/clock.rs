//! Time comes through the front client, so that a rehearsal can run on virtual time.

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::{Duration, SystemTime};

/// Where all time comes from: the machine's, or a rehearsal's virtual one.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now. May go backwards on a real machine; never use it to measure.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment; never goes backwards. Measure and compare with this.
    fn elapsed(&self) -> Duration;
    /// Waits for so long; in a rehearsal virtual time passes.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock(std::time::Instant);

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] counts from now.
    #[must_use]
    pub fn new() -> Self {
        Self(std::time::Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // `Timestamp::now` panics for years that it cannot count.
        let now = SystemTime::now();
        let end = if now < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::try_from(now).unwrap_or(end)
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
