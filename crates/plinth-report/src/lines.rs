//! Plain lines, for logs and terminals that cannot move the cursor.

use crate::sink::{Sink, Steady};
use crate::style::Palette;
use crate::text_log::{TextLog, Verbosity};
use plinth_analysis::Traits;
use plinth_model::{Event, Plan};
use std::io;

/// One line per finished step, equal ones folded; failures at once and in full.
pub struct Lines<W> {
    writer: Steady<W>,
    text_log: TextLog,
}

impl<W: io::Write> Lines<W> {
    /// Without the plan: folded lines wait up to ten seconds of event time for their like.
    pub fn new(writer: W, palette: Palette) -> Self {
        Self { writer: Steady::new(writer), text_log: TextLog::new(palette, Verbosity::All) }
    }

    /// With the plan: a folded line is written as soon as its last node has spoken.
    pub fn of_plan(writer: W, plan: &Plan, palette: Palette) -> Self {
        Self { writer: Steady::new(writer), text_log: TextLog::of_plan(plan, palette, Verbosity::All) }
    }

    /// Knows this of the nodes: what the failed ones share is said at the end.
    #[must_use]
    pub fn knowing(mut self, traits: Traits) -> Self {
        self.text_log.know(traits);
        self
    }

    /// Failures at once, everything else as a sentence now and then: for who is read to.
    pub fn calm(writer: W, plan: &Plan, palette: Palette) -> Self {
        Self { writer: Steady::new(writer), text_log: TextLog::of_plan(plan, palette, Verbosity::Calm) }
    }
}

impl<W: io::Write> Sink for Lines<W> {
    fn event(&mut self, event: &Event) {
        for line in self.text_log.take(event) {
            self.writer.line(&line);
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        for line in self.text_log.rest() {
            self.writer.line(&line);
        }
        self.writer.finish()
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
