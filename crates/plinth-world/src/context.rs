//! What every call through a client carries. A call is cancelled by dropping its future; the executor does so at the deadline.

use crate::{Clock, deadlines};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A future of no particular type.
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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
    traceparent: Option<Arc<str>>,
}

impl Context {
    /// A context whose progress goes to `progress`.
    pub fn new(clock: Arc<dyn Clock>, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { clock, progress: Arc::new(progress), traceparent: None }
    }

    /// A context that nobody watches.
    #[must_use]
    pub fn quiet(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, |_| {})
    }

    /// The same within a trace (W3C Trace Context).
    #[must_use]
    pub fn traced(self, traceparent: impl Into<Arc<str>>) -> Self {
        Self { traceparent: Some(traceparent.into()), ..self }
    }

    /// `TRACEPARENT` for programs that are started here.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sleeps by this context's clock: for loops that try again.
    pub fn pause(&self) -> impl Fn(Duration) -> BoxFuture<'static, ()> + 'static {
        let clock = Arc::clone(&self.clock);
        move |duration| {
            let clock = Arc::clone(&clock);
            Box::pin(async move { clock.sleep(duration).await })
        }
    }

    /// Reports progress. Cheap; may be dropped on the way.
    pub fn progress(&self, done: u64, total: u64, message: impl Into<String>) {
        (self.progress)(Progress { done, total, message: message.into() });
    }
}

/// Reports of a stream of bytes at a pace that people can follow, however fast it flows.
pub struct Paced<'a> {
    ctx: &'a Context,
    next: Duration,
}

impl<'a> Paced<'a> {
    /// The first report is let through at once.
    #[must_use]
    pub const fn new(ctx: &'a Context) -> Self {
        Self { ctx, next: Duration::ZERO }
    }

    /// Reports, if it is time.
    pub fn report(&mut self, done: u64, total: u64, message: &str) {
        let now = self.ctx.clock().elapsed();
        if now >= self.next {
            self.next = now + deadlines::STREAM_PACE;
            self.ctx.progress(done, total, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use jiff::Timestamp;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A clock that is set by hand, in milliseconds.
    #[derive(Default)]
    struct Hand(AtomicU64);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        fn elapsed(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }
        async fn sleep(&self, _: Duration) {}
    }

    #[test]
    fn a_fast_stream_is_told_of_twice_a_second() {
        let (hand, told) = (Arc::new(Hand::default()), Arc::new(Mutex::new(Vec::new())));
        let list = Arc::clone(&told);
        let ctx = Context::new(hand.clone(), move |progress| list.lock().unwrap().push(progress.done));
        let mut paced = Paced::new(&ctx);
        for moment in 0..=1_200 {
            hand.0.store(moment, Ordering::Relaxed);
            paced.report(moment, 2_000, "file");
        }
        assert_eq!(*told.lock().unwrap(), [0, 500, 1_000]);
    }
}
