//! The stream for machines: one JSON object a line, flushed per line, so that a reader in another process sees each event at
//! once and a killed process leaves at most one half line.

use crate::sink::{Sink, Steady};
use plinth_model::Event;
use plinth_model::text::visible_json;
use std::io;

/// Writes every event as it came, in the order it came: duplicates are the reader's business, as documented.
pub struct Ndjson<W> {
    writer: Steady<W>,
}

impl<W: io::Write> Ndjson<W> {
    /// Writes to `writer`.
    pub fn new(writer: W) -> Self {
        Self { writer: Steady::new(writer) }
    }
}

impl<W: io::Write> Sink for Ndjson<W> {
    fn event(&mut self, event: &Event) {
        match serde_json::to_string(event) {
            Ok(line) => self.writer.line(&visible_json(&line)),
            Err(error) => self.writer.fail(error.into()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scripted;

    #[test]
    fn lines_read_back_and_stand_in_order() {
        let events = scripted::run();
        let mut bytes = Vec::new();
        let mut sink = Ndjson::new(&mut bytes);
        events.iter().for_each(|event| sink.event(event));
        sink.finish().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let back: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(back, events);
        assert_eq!(lines[0]["event"], "run.started");
        assert_eq!(lines[0]["schema"], plinth_model::run::event::SCHEMA);
        assert_eq!(lines[lines.len() - 1]["event"], "run.finished");
        assert!(lines.iter().all(|line| line["seq"].is_u64() && line["at"].is_string()));
    }

    /// A disk that takes `room` bytes, and counts how often it was asked.
    struct FullDisk {
        room: usize,
        asked: usize,
    }

    impl io::Write for &mut FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked += 1;
            if bytes.len() > self.room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_once() {
        let mut disk = FullDisk { room: 400, asked: 0 };
        let mut sink = Ndjson::new(&mut disk);
        scripted::run().iter().for_each(|event| sink.event(event));
        assert_eq!(sink.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(sink.finish().is_ok());
        drop(sink);
        assert!(disk.asked < 8, "went on writing after the error: {}", disk.asked);
    }

    #[test]
    fn the_schema_of_events_is_golden() {
        insta::assert_json_snapshot!("event-schema", schemars::schema_for!(Event));
    }
}
