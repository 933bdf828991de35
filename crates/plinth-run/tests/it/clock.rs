//! Virtual time: when nothing can go on, the earliest sleeper's moment is now.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use plinth_world::Clock;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

#[derive(Default)]
struct Inner {
    now: Duration,
    next: u64,
    sleepers: BTreeMap<(Duration, u64), Waker>,
}

#[derive(Default)]
pub struct TestClock {
    inner: Mutex<Inner>,
    /// Seconds added to the wall time only: a clock that was set.
    pub set_by: AtomicI64,
    /// Happens once, as soon as so much time has passed, before anybody wakes.
    pub meanwhile: Mutex<Option<(Duration, Meanwhile)>>,
}

pub type Meanwhile = Box<dyn FnOnce() + Send>;

struct Sleep<'a> {
    clock: &'a TestClock,
    key: (Duration, u64),
}

impl Future for Sleep<'_> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.clock.inner.lock().unwrap();
        if inner.now >= self.key.0 {
            return Poll::Ready(());
        }
        inner.sleepers.insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.inner.lock().unwrap().sleepers.remove(&self.key);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let seconds = i64::try_from(self.elapsed().as_secs()).unwrap() + self.set_by.load(Ordering::Relaxed);
        Timestamp::from_second(1_700_000_000).unwrap() + SignedDuration::from_secs(seconds)
    }

    fn elapsed(&self) -> Duration {
        self.inner.lock().unwrap().now
    }

    async fn sleep(&self, duration: Duration) {
        let key = {
            let mut inner = self.inner.lock().unwrap();
            inner.next += 1;
            (inner.now + duration, inner.next)
        };
        Sleep { clock: self, key }.await;
    }
}

impl TestClock {
    fn advance(&self) -> bool {
        let mut inner = self.inner.lock().unwrap();
        let Some(((at, _), waker)) = inner.sleepers.pop_first() else { return false };
        inner.now = inner.now.max(at);
        let now = inner.now;
        drop(inner);
        let due = self.meanwhile.lock().unwrap().take_if(|(when, _)| *when <= now);
        if let Some((_, happen)) = due {
            happen();
        }
        waker.wake();
        true
    }

    /// Runs a future to its end. Panics when nothing can ever wake it again.
    pub fn drive<T>(&self, future: impl Future<Output = T>) -> T {
        struct Flag(AtomicBool);
        impl Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut future = pin!(future);
        loop {
            if flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return value;
                }
            } else {
                assert!(self.advance(), "deadlock: nothing is awake and nobody sleeps");
            }
        }
    }
}
