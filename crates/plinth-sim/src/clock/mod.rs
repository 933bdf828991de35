//! Virtual time: a clock that jumps to the next thing that waits, so that hours pass in milliseconds.
//!
//! Time moves only inside [`VirtualClock::drive`]. Nothing here is random: sleepers that wait for the same instant wake in the
//! order in which they began to wait.

mod drive;

pub use drive::{Drive, Pace, Stalled};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use plinth_world::Clock;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

/// When a sleeper is due, and its place among those due at the same instant.
type Due = (Duration, u64);

#[derive(Debug, Default)]
struct State {
    elapsed: Duration,
    registered: u64,
    /// Ordered by due time. A tree and not a heap: a cancelled sleep is taken out at once, so nothing dead is ever kept.
    sleepers: BTreeMap<Due, Waker>,
    holds: usize,
    driver: Option<Waker>,
}

/// A discrete-event clock. Cheap to clone: all clones are the same clock.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    start: Timestamp,
    state: Arc<Mutex<State>>,
}

impl VirtualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { start, state: Arc::default() }
    }

    /// Stops time until the guard is dropped: real input or output is outstanding, and nothing virtual may overtake it.
    #[must_use = "time goes on as soon as the guard is dropped"]
    pub fn hold(&self) -> Hold {
        self.lock().holds += 1;
        Hold { clock: self.clone() }
    }

    /// Runs a future on this clock. Time moves only while the result is polled; `pace` makes it move slowly enough to watch.
    /// When nothing sleeps, nothing is held and nothing was woken, the result waits for a wake from outside (a signal).
    pub fn drive<F: Future>(&self, future: F, pace: Option<Pace>) -> impl Future<Output = F::Output> + use<F> {
        let drive = Drive::new(self.clone(), future, pace, false);
        async move {
            match drive.await {
                Ok(output) => output,
                // A patient drive never answers so; to wait for ever is what it would do.
                Err(Stalled { .. }) => std::future::pending().await,
            }
        }
    }

    /// As [`VirtualClock::drive`], but says so when nothing can ever happen again without a wake from outside. For tests.
    pub fn drive_strictly<F: Future>(&self, future: F) -> Drive<F> {
        Drive::new(self.clone(), future, None, true)
    }

    /// How many sleeps wait at this moment.
    #[must_use]
    pub fn sleeping(&self) -> usize {
        self.lock().sleepers.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_due(&self) -> Option<Due> {
        self.lock().sleepers.first_key_value().map(|(due, _)| *due)
    }

    /// Moves time to the earliest sleeper and wakes it.
    fn jump(&self) {
        let waker = {
            let mut state = self.lock();
            let Some(((at, _), waker)) = state.sleepers.pop_first() else { return };
            state.elapsed = state.elapsed.max(at);
            waker
        };
        waker.wake();
    }

    fn is_held(&self, driver: &Waker) -> bool {
        let mut state = self.lock();
        if state.holds > 0 {
            state.driver = Some(driver.clone());
        }
        state.holds > 0
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    async fn sleep(&self, duration: Duration) {
        Sleep { clock: self, duration, due: None }.await;
    }
}

/// Time stands still while this lives.
#[derive(Debug)]
pub struct Hold {
    clock: VirtualClock,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let driver = {
            let mut state = self.clock.lock();
            state.holds = state.holds.saturating_sub(1);
            if state.holds == 0 { state.driver.take() } else { None }
        };
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

struct Sleep<'a> {
    clock: &'a VirtualClock,
    duration: Duration,
    due: Option<Due>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        let Some(due) = self.due else {
            state.registered += 1;
            let due = (state.elapsed.saturating_add(self.duration), state.registered);
            state.sleepers.insert(due, cx.waker().clone());
            drop(state);
            self.due = Some(due);
            return Poll::Pending;
        };
        let Some(waker) = state.sleepers.get_mut(&due) else { return Poll::Ready(()) };
        let _old = (!waker.will_wake(cx.waker())).then(|| std::mem::replace(waker, cx.waker().clone()));
        drop(state);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(due) = self.due {
            // The waker is dropped behind the lock: dropping it may drop a task that sleeps itself.
            let _waker = self.clock.lock().sleepers.remove(&due);
        }
    }
}
