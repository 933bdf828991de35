//! Where events go.

use plinth_model::Event;
use std::io;

/// Takes the events of one run, in order. A sink never stops a run: what it cannot write it keeps for [`Sink::finish`].
pub trait Sink {
    /// Takes one event.
    fn event(&mut self, event: &Event);

    /// No more events come.
    ///
    /// # Errors
    /// The first error of the writer, once; later calls answer `Ok`.
    fn finish(&mut self) -> io::Result<()>;
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn event(&mut self, event: &Event) {
        (**self).event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        (**self).finish()
    }
}

/// A writer that stops at its first error and keeps it, so that a full disk is told once and not per line.
pub(crate) struct Steady<W> {
    writer: W,
    broken: bool,
    error: Option<io::Error>,
}

impl<W: io::Write> Steady<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self { writer, broken: false, error: None }
    }

    /// Writes one line and flushes it.
    pub(crate) fn line(&mut self, line: &str) {
        if self.broken {
            return;
        }
        if let Err(error) = self.try_line(line) {
            self.fail(error);
        }
    }

    /// Stops writing because of `error`.
    pub(crate) fn fail(&mut self, error: io::Error) {
        self.broken = true;
        self.error.get_or_insert(error);
    }

    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    fn try_line(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")?;
        self.writer.flush()
    }
}
