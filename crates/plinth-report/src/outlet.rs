//! Bytes on their way out. A thread of their own writes them, so whoever has something to say never waits for who reads it: a
//! terminal under Ctrl-S, a pipe that nobody empties and a disk that hangs hold up nothing but themselves.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What an outlet writes to, made by its own thread: opening may wait too.
pub type Open = Box<dyn FnOnce() -> io::Result<Box<dyn Write + Send>> + Send>;

/// Says in the stream itself that so many lines are missing from it.
pub type Gap = fn(u64) -> Option<String>;

/// Looks whether something is over, and may wait for it a moment.
pub type IsOver = Box<dyn Fn() -> bool + Send>;

/// A way out. Clones are the same one.
#[derive(Clone)]
pub struct Outlet(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    moved: Condvar,
    /// Most bytes that wait; lines behind that are dropped and counted.
    room: usize,
    gap: Gap,
    /// Where to write when there is no thread.
    direct: Mutex<Option<Box<dyn Write + Send>>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Vec<u8>>,
    /// What must be over before anything else is written.
    behind: Vec<IsOver>,
    bytes: usize,
    /// Lines dropped since the last one that was let in, and in all.
    missing: u64,
    lost: u64,
    /// Something is being written or opened now.
    busy: bool,
    /// Nothing more can be written.
    broken: bool,
    error: Option<io::Error>,
}

/// Says that the thread ended, however it did: nobody waits for one that panicked.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.broke(io::Error::other("the thread that writes it ended"));
    }
}

impl Outlet {
    /// Opens a way out that keeps up to `room` bytes for a slow reader. Without a thread for it, it writes where it is called.
    #[must_use]
    pub fn new(name: &str, room: usize, gap: Gap, open: Open) -> Self {
        let queue = Mutex::new(Queue { busy: true, ..Queue::default() });
        let shared = Arc::new(Shared { queue, moved: Condvar::new(), room, gap, direct: Mutex::default() });
        let open = Arc::new(Mutex::new(Some(open)));
        let (theirs, opener) = (Arc::clone(&shared), Arc::clone(&open));
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let ended = Ended(theirs);
            if let Some(open) = opener.lock().unwrap_or_else(PoisonError::into_inner).take() {
                ended.0.serve(open);
            }
        });
        if thread.is_err()
            && let Some(open) = open.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            shared.be_direct(open);
        }
        Self(shared)
    }

    /// Gives one text that must not be lost, however much waits.
    pub fn whole(&self, text: &[u8]) {
        self.push(text.to_vec(), true);
    }

    /// The same for a text that nobody else needs: a large one is not copied.
    pub fn give(&self, text: Vec<u8>) {
        self.push(text, true);
    }

    /// Gives whole lines. They are dropped, and that is said, when nobody has read for too long.
    pub fn lines(&self, text: &[u8]) {
        self.push(text.to_vec(), false);
    }

    fn push(&self, text: Vec<u8>, always: bool) {
        if self.0.write_direct(&text) {
            return;
        }
        let mut queue = self.0.queue();
        if queue.broken {
            queue.lost += lines_in(&text);
            return;
        }
        if !always && queue.bytes + text.len() > self.0.room {
            queue.missing += lines_in(&text);
            queue.lost += lines_in(&text);
            return;
        }
        let gap = if queue.missing > 0 { (self.0.gap)(queue.missing) } else { None };
        queue.missing = 0;
        for chunk in gap.map(String::into_bytes).into_iter().chain([text]) {
            queue.bytes += chunk.len();
            queue.waiting.push_back(chunk);
        }
        self.0.moved.notify_all();
    }

    /// What is given from now on stands behind something else that writes to the same place: nothing is written before that is over.
    /// Only the thread that writes waits for it; without one, nobody does.
    pub fn after(&self, is_over: IsOver) {
        self.0.queue().behind.push(is_over);
    }

    /// Waits until everything was written, at most so long. Answers whether it was, or never will be.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut queue = self.0.queue();
        while !queue.is_idle() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            queue = self.0.moved.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The first error of the writer, once.
    #[must_use]
    pub fn error(&self) -> Option<io::Error> {
        self.0.queue().error.take()
    }

    /// Whether nothing more can be written: the reader went away, or the disk is full.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.0.queue().broken
    }

    /// Lines that were not written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.queue().lost
    }

    /// A writer of lines into this outlet.
    #[must_use]
    pub fn writer(&self) -> OutletLines {
        OutletLines { outlet: self.clone(), line: Vec::new() }
    }
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.broken || (!self.busy && self.waiting.is_empty())
    }

    fn fail(&mut self, error: io::Error) {
        self.broken = true;
        self.error.get_or_insert(error);
        self.lost += self.waiting.drain(..).map(|chunk| lines_in(&chunk)).sum::<u64>();
        self.bytes = 0;
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: writes until the process ends, or the first error.
    fn serve(&self, open: Open) {
        let mut writer = match open() {
            Ok(writer) => writer,
            Err(error) => return self.broke(error),
        };
        loop {
            let chunk = self.next();
            self.wait_for_others();
            if let Err(error) = writer.write_all(&chunk).and_then(|()| writer.flush()) {
                return self.broke(error);
            }
        }
    }

    /// What is to be written next. What was given before is written by now.
    fn next(&self) -> Vec<u8> {
        let mut queue = self.queue();
        queue.busy = false;
        loop {
            if let Some(chunk) = queue.waiting.pop_front() {
                queue.bytes = queue.bytes.saturating_sub(chunk.len());
                queue.busy = true;
                return chunk;
            }
            self.moved.notify_all();
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for what stands before the chunk that was taken, for as long as it takes: whoever ends the process decides how long that is.
    fn wait_for_others(&self) {
        let behind = std::mem::take(&mut self.queue().behind);
        for is_over in behind {
            while !is_over() {}
        }
    }

    fn broke(&self, error: io::Error) {
        self.queue().fail(error);
        self.moved.notify_all();
    }

    fn be_direct(&self, open: Open) {
        match open() {
            Ok(writer) => *self.direct.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer),
            Err(error) => self.broke(error),
        }
        self.queue().busy = false;
    }

    fn write_direct(&self, text: &[u8]) -> bool {
        let mut direct = self.direct.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writer) = &mut *direct else { return false };
        if let Err(error) = writer.write_all(text).and_then(|()| writer.flush()) {
            self.broke(error);
        }
        true
    }
}

fn lines_in(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count().max(1) as u64
}

/// Hands whole lines to an outlet. Never waits, never fails.
pub struct OutletLines {
    outlet: Outlet,
    line: Vec<u8>,
}

impl Write for OutletLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(end) = self.line.iter().rposition(|byte| *byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            self.outlet.lines(&self.line);
            self.line = rest;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "outlet_tests.rs"]
mod tests;
