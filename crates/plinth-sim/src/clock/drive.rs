//! The future adaptor that moves virtual time.

use super::{Due, VirtualClock};
use plinth_world::Clock;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

/// How virtual time is slowed down for people who watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Real time for one virtual second.
    pub real_per_virtual_second: Duration,
    /// Longest real wait before one jump.
    pub longest_jump: Duration,
    /// Longest real wait in all; behind it time is not slowed down any more.
    pub total: Duration,
}

/// Nothing sleeps, nothing is held, nothing was woken: without a wake from outside nothing will ever happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("virtual time stands at {at:?} and nothing waits for it: the work waits for something that never comes")]
pub struct Stalled {
    /// Virtual time since the start.
    pub at: Duration,
}

/// Inner polls before control is given back to the runtime. Tokio lets a task use its resources 128 times a poll and then
/// answers "pending" with an immediate wake; looping on that would spin for ever.
const POLLS_PER_TURN: usize = 100;

/// Real waits shorter than this are saved up: the runtime's timer counts milliseconds.
const SHORTEST_WAIT: Duration = Duration::from_millis(2);

/// Notes wakes of the inner future and hands them on.
struct Flag {
    woken: AtomicBool,
    outer: Mutex<Waker>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.outer.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

/// A future running on a [`VirtualClock`].
pub struct Drive<F: Future> {
    clock: VirtualClock,
    inner: Pin<Box<F>>,
    flag: Arc<Flag>,
    waker: Waker,
    brake: Option<Brake>,
    strict: bool,
}

impl<F: Future> Drive<F> {
    pub(super) fn new(clock: VirtualClock, future: F, pace: Option<Pace>, strict: bool) -> Self {
        let flag = Arc::new(Flag { woken: AtomicBool::new(true), outer: Mutex::new(Waker::noop().clone()) });
        let waker = Waker::from(Arc::clone(&flag));
        Self { clock, inner: Box::pin(future), flag, waker, brake: pace.map(Brake::new), strict }
    }

    /// Lets the earliest sleeper go, if one may go now.
    fn advance(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Stalled>> {
        if self.clock.is_held(cx.waker()) {
            return Poll::Pending;
        }
        let Some(due) = self.clock.next_due() else {
            let at = self.clock.elapsed();
            return if self.strict { Poll::Ready(Err(Stalled { at })) } else { Poll::Pending };
        };
        if let Some(brake) = &mut self.brake
            && brake.poll(due, self.clock.elapsed(), cx).is_pending()
        {
            return Poll::Pending;
        }
        self.clock.jump();
        Poll::Ready(Ok(()))
    }
}

impl<F: Future> Future for Drive<F> {
    type Output = Result<F::Output, Stalled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let drive = &mut *self;
        drive.flag.outer.lock().unwrap_or_else(PoisonError::into_inner).clone_from(cx.waker());
        let waker = drive.waker.clone();
        let mut polls = 0;
        loop {
            if drive.flag.woken.swap(false, Ordering::AcqRel) {
                if let Poll::Ready(output) = drive.inner.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
                    return Poll::Ready(Ok(output));
                }
                polls += 1;
                if polls >= POLLS_PER_TURN {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                continue;
            }
            match drive.advance(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(stalled)) => return Poll::Ready(Err(stalled)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Slows jumps down.
struct Brake {
    pace: Pace,
    left: Duration,
    saved: Duration,
    wait: Option<(Due, Pin<Box<tokio::time::Sleep>>)>,
}

impl Brake {
    fn new(pace: Pace) -> Self {
        Self { left: pace.total, pace, saved: Duration::ZERO, wait: None }
    }

    /// Ready when the jump from `now` to `due` may happen. A wait goes on through wakes; a sleeper that is due earlier ends it.
    fn poll(&mut self, due: Due, now: Duration, cx: &mut TaskContext<'_>) -> Poll<()> {
        if self.wait.as_ref().is_none_or(|(waited, _)| *waited != due) {
            self.wait = None;
            let jump = due.0.saturating_sub(now).as_secs_f64();
            let wait =
                self.pace.real_per_virtual_second.mul_f64(jump.min(1e6)).min(self.pace.longest_jump).min(self.left);
            self.left -= wait;
            self.saved += wait;
            if self.saved < SHORTEST_WAIT {
                return Poll::Ready(());
            }
            let wait = std::mem::take(&mut self.saved);
            self.wait = Some((due, Box::pin(tokio::time::sleep(wait))));
        }
        let Some((_, sleep)) = &mut self.wait else { return Poll::Ready(()) };
        std::task::ready!(sleep.as_mut().poll(cx));
        self.wait = None;
        Poll::Ready(())
    }
}
