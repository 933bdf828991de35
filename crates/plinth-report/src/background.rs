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

/// A sink that shows a run where it stands, and does something between events too.
pub trait View: Sink {
    /// Called between events; answers after how long it is to be called again when no event comes. None: not before the next event.
    fn tick(&mut self) -> Option<Duration> {
        None
    }

    /// Takes what is drawn away: the process is about to be stopped. The next call draws it again.
    fn pause(&mut self) {}
}

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
    /// Somebody wants the view to be away; it is.
    held: bool,
    away: bool,
}

/// What the thread does next.
enum Next {
    Show(Box<Event>),
    Tick,
    Pause,
    End,
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
    pub fn new<V: View>(make: impl FnOnce() -> V + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("view".to_owned()).spawn(move || {
            let ended = Ended(theirs);
            let mut sink = make();
            loop {
                let wait = sink.tick();
                match ended.0.next(wait) {
                    Next::Show(event) => sink.event(&event),
                    Next::Tick => {}
                    Next::Pause => {
                        sink.pause();
                        ended.0.stay_away();
                    }
                    Next::End => break,
                }
            }
            // What a terminal cannot show is no error of the run.
            let _ = sink.finish();
            drop(sink);
        })?;
        Ok(Self(shared))
    }

    /// Has the view take away what it drew, and show nothing until [`Background::go_on`]. Waits for that at most so long: a terminal that
    /// is not read keeps what stands on it.
    pub fn hold(&self, at_most: Duration) {
        self.0.queue().held = true;
        self.0.moved.notify_all();
        let _ = self.0.wait(at_most, |queue| queue.away || queue.done);
    }

    /// The view goes on.
    pub fn go_on(&self) {
        self.0.queue().held = false;
        self.0.moved.notify_all();
    }

    /// Waits until the sink has taken everything and ended, at most so long. Answers whether it has.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        self.0.wait(at_most, |queue| queue.done)
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is so, at most so long. Answers whether it is.
    fn wait(&self, at_most: Duration, is_so: impl Fn(&Queue) -> bool) -> bool {
        let until = Instant::now() + at_most;
        let mut queue = self.queue();
        while !is_so(&queue) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            queue = self.moved.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The next event, or a tick when none comes for so long.
    fn next(&self, wait: Option<Duration>) -> Next {
        let until = wait.map(|wait| Instant::now() + wait);
        let mut queue = self.queue();
        loop {
            if queue.held && !queue.closed {
                return Next::Pause;
            }
            if let Some(event) = queue.waiting.pop_front() {
                return Next::Show(Box::new(event));
            }
            if queue.closed {
                return Next::End;
            }
            let Some(until) = until else {
                queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Tick;
            }
            queue = self.moved.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The view is away until somebody lets it go on, or no more events come.
    fn stay_away(&self) {
        let mut queue = self.queue();
        queue.away = true;
        self.moved.notify_all();
        while queue.held && !queue.closed {
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.away = false;
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

    impl View for Stalled {}

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

    /// Says what was asked of it.
    struct Told(Sender<&'static str>);

    impl Sink for Told {
        fn event(&mut self, _: &Event) {
            let _ = self.0.send("event");
        }

        fn finish(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl View for Told {
        fn tick(&mut self) -> Option<Duration> {
            Some(Duration::from_secs(60))
        }

        fn pause(&mut self) {
            let _ = self.0.send("pause");
        }
    }

    #[test]
    fn a_view_that_is_held_is_away_until_it_goes_on_and_misses_nothing() {
        let (tell, told) = channel();
        let mut background = Background::new(move || Told(tell)).unwrap();
        let event = scripted::run().remove(0);
        background.hold(Duration::from_secs(60));
        assert_eq!(told.recv().unwrap(), "pause");
        background.event(&event);
        assert_eq!(told.recv_timeout(Duration::from_millis(50)), Err(std::sync::mpsc::RecvTimeoutError::Timeout));
        background.go_on();
        assert_eq!(told.recv().unwrap(), "event");
        background.hold(Duration::from_secs(60));
        background.finish().unwrap();
        assert!(background.wait(Duration::from_secs(60)), "a view that is held ends with its run");
    }
}
