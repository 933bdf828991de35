//! A sink on a thread of its own: the run goes on while the terminal is not read.

use crate::sink::Sink;
use plinth_model::Event;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most events that wait. A run of 1,000 nodes has about so many; older ones are dropped then, and readers of events see the gap.
const ROOM: usize = 16_384;
/// Progress is dropped when more events than this wait: it is for who looks now.
const ROOM_FOR_PROGRESS: usize = 256;

/// Hands events to a sink that may be slow. Never waits, but in [`Background::wait`]. Clones are the same one.
#[derive(Clone)]
pub struct Background(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Event>,
    closed: bool,
    done: bool,
}

/// Says that the thread ended, however it did: nobody waits for one that panicked.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.queue().done = true;
        self.0.moved.notify_all();
    }
}

impl Background {
    /// Starts the thread, which makes its sink itself.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn new<S: Sink>(make: impl FnOnce() -> S + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("view".to_owned()).spawn(move || {
            let ended = Ended(theirs);
            let mut sink = make();
            while let Some(event) = ended.0.next() {
                sink.event(&event);
            }
            // What a terminal cannot show is no error of the run.
            let _ = sink.finish();
            drop(sink);
        })?;
        Ok(Self(shared))
    }

    /// Waits until the sink has taken everything and ended, at most so long. Answers whether it has.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut queue = self.0.queue();
        while !queue.done {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            queue = self.0.moved.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next event; none when no more come.
    fn next(&self) -> Option<Event> {
        let mut queue = self.queue();
        loop {
            if let Some(event) = queue.waiting.pop_front() {
                return Some(event);
            }
            if queue.closed {
                return None;
            }
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Sink for Background {
    fn event(&mut self, event: &Event) {
        let mut queue = self.0.queue();
        if event.body.may_be_missed() && queue.waiting.len() >= ROOM_FOR_PROGRESS {
            return;
        }
        if queue.waiting.len() >= ROOM {
            queue.waiting.pop_front();
        }
        queue.waiting.push_back(event.clone());
        self.0.moved.notify_all();
    }

    /// No more events come; what waits is still shown.
    fn finish(&mut self) -> io::Result<()> {
        self.0.queue().closed = true;
        self.0.moved.notify_all();
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scripted;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Takes an event only when the test says so.
    struct Stalled(Receiver<()>, Sender<u64>);

    impl Sink for Stalled {
        fn event(&mut self, event: &Event) {
            let _ = self.0.recv();
            let _ = self.1.send(event.seq);
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_stalls_holds_up_nobody_and_the_newest_events_are_kept() {
        let ((go, wait), (seen, shown)) = (channel(), channel());
        let mut background = Background::new(move || Stalled(wait, seen)).unwrap();
        let event = scripted::run().into_iter().find(|event| !event.body.may_be_missed()).unwrap();
        let all = ROOM as u64 * 2;
        for seq in 1..=all {
            background.event(&Event { seq, ..event.clone() });
        }
        background.finish().unwrap();
        assert!(!background.wait(Duration::from_millis(20)));
        drop(go);
        assert!(background.wait(Duration::from_secs(60)));
        let shown: Vec<u64> = shown.iter().collect();
        assert!(shown.len() <= ROOM + 1 && shown.last() == Some(&all), "{} {:?}", shown.len(), shown.last());
    }
}
