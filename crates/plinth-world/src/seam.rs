//! Where this machine waits for something else: a login, a script, a program, a request. The log tells of each one when it begins and when
//! it ends, so that whoever looks for what hangs finds it by its beginning without an end.
//!
//! Words are those of the client, and hold no secret: no body of a request, no value of a variable, no query of an address. The log takes
//! secrets out of every line all the same.

use crate::given_up;
use plinth_model::run::CommandFailure;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tracing::Level;

/// One call that waits. Whoever drops it without an end gave it up: at a deadline, or since the run stops.
#[must_use = "the end is told by `end`, and dropping it says that it was given up"]
pub struct Seam(Option<Begun>);

struct Begun {
    client: &'static str,
    what: String,
    at: Instant,
    /// Whoever gives it up hears what it was.
    is_program: bool,
    log: Option<PathBuf>,
}

impl Seam {
    /// A program, here or on a node: `what` is its command line. Whoever gives it up hears of it.
    pub fn program(client: &'static str, what: impl FnOnce() -> String) -> Self {
        let seam = Self::new(client, true, what);
        if let Some(Begun { client, what, .. }) = &seam.0 {
            tracing::debug!("{client}: {what}: begins");
        }
        seam
    }

    /// The same; its words go into this file.
    pub fn logged(mut self, log: &Path) -> Self {
        if let Some(begun) = &mut self.0 {
            begun.log = Some(log.to_path_buf());
        }
        self
    }

    /// Something long, or of which there are few: a script, a program, a login. `-v` shows its beginning and its end.
    pub fn begin(client: &'static str, what: impl FnOnce() -> String) -> Self {
        let seam = Self::new(client, false, what);
        if let Some(Begun { client, what, .. }) = &seam.0 {
            tracing::debug!("{client}: {what}: begins");
        }
        seam
    }

    /// One request of many. `-v` shows its end, `-vv` its beginning as well.
    pub fn request(client: &'static str, what: impl FnOnce() -> String) -> Self {
        let seam = Self::new(client, false, what);
        if let Some(Begun { client, what, .. }) = &seam.0 {
            tracing::trace!("{client}: {what}: begins");
        }
        seam
    }

    /// Nothing is made up when nobody listens.
    fn new(client: &'static str, is_program: bool, what: impl FnOnce() -> String) -> Self {
        let told = tracing::enabled!(Level::DEBUG) || (is_program && given_up::is_heard());
        Self(told.then(|| Begun { client, what: what(), at: Instant::now(), is_program, log: None }))
    }

    /// It ended like this: `HTTP 200`, `status 1`.
    pub fn end(mut self, how: impl Display) {
        self.tell(&how);
    }

    /// It ended well, or with this error.
    pub fn end_of<T, E: Display>(self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.end("done"),
            Err(error) => self.end(format_args!("failed: {error}")),
        }
    }

    fn tell(&mut self, how: &dyn Display) {
        if let Some(Begun { client, what, at, .. }) = self.0.take() {
            tracing::debug!("{client}: {what}: {how}, after {:.3} s", at.elapsed().as_secs_f64());
        }
    }
}

impl Drop for Seam {
    fn drop(&mut self) {
        if let Some(Begun { what, log, is_program: true, .. }) = &self.0 {
            given_up::tell(|| match log {
                Some(log) => given_up::logged(what, log),
                None => CommandFailure::of(what.as_str(), &[]),
            });
        }
        self.tell(&"given up");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};
    use tracing::level_filters::LevelFilter;

    /// What a log of this level was told.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(level: LevelFilter, work: impl FnOnce()) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_max_level(level).with_ansi(false).without_time().with_target(false);
        tracing::subscriber::with_default(log.with_writer(move || writer.clone()).finish(), work);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        // The time it took is never the same.
        text.lines().map(|line| line.split(", after ").next().unwrap_or_default().trim().to_owned()).collect()
    }

    fn calls() {
        Seam::begin("ssh", || "script".to_owned()).end("status 1");
        Seam::request("kube", || "GET /api".to_owned()).end_of(&Ok::<(), String>(()));
        Seam::request("bcm", || "call".to_owned()).end_of(&Err::<(), _>("no route"));
        drop(Seam::begin("helm", || "upgrade".to_owned()));
    }

    #[test]
    fn what_waits_is_told_at_its_beginning_and_its_end_and_also_when_it_is_given_up() {
        let debug = [
            "DEBUG ssh: script: begins",
            "DEBUG ssh: script: status 1",
            "DEBUG kube: GET /api: done",
            "DEBUG bcm: call: failed: no route",
            "DEBUG helm: upgrade: begins",
            "DEBUG helm: upgrade: given up",
        ];
        assert_eq!(told(LevelFilter::DEBUG, calls), debug);
        let mut trace = debug.to_vec();
        trace.insert(2, "TRACE kube: GET /api: begins");
        trace.insert(4, "TRACE bcm: call: begins");
        assert_eq!(told(LevelFilter::TRACE, calls), trace);
    }

    #[test]
    fn without_a_reader_nothing_is_made_up() {
        let told = told(LevelFilter::INFO, || {
            let mut made = false;
            Seam::begin("ssh", || {
                made = true;
                String::new()
            })
            .end("status 0");
            assert!(!made);
        });
        assert_eq!(told, Vec::<String>::new());
    }
}
