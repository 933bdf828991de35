//! The log: what happened inside, for the day something hangs. On standard error with `-v`, and in the state directory wherever
//! a verb may write there.
//!
//! People follow a run by its events; this is the other view, call by call. Every line passes the redactor of the site's secrets before
//! it is written anywhere: it is given before the first secret is read, whether the verb changes anything or only reads. Lines from
//! before there is a file wait in memory. Crates that are not ours never log below warnings (with `-vv`
//! below information): what they say of requests is not made for a file that may be sent to somebody.

mod file;

use crate::args::Verbosity;
use crate::streams::Streams;
use file::LogFile;
use plinth_model::Problem;
use plinth_model::text::visible_lines;
use plinth_report::Outlet;
use plinth_world::secrets::Secrets;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// Most that waits for its file, bytes.
const MOST_WAITING: usize = 256 * 1024;
/// Most that waits for a disk that hangs, bytes.
const ROOM: usize = 8 * 1024 * 1024;

/// Where lines go. Cheap to clone: all clones are the same log.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    secrets: Option<Arc<dyn Secrets>>,
    file: Option<Outlet>,
    /// Where the file is, if it outlives this process.
    place: Option<PathBuf>,
    waiting: Vec<u8>,
}

impl Log {
    /// Begins to listen to this process. One that has begun already goes on.
    pub(crate) fn start(verbosity: Verbosity, streams: Arc<Streams>) -> Self {
        let log = Self::default();
        let (ours, others) = levels(verbosity);
        let levels = |ours, others| Targets::new().with_target("plinth", ours).with_default(others);
        let file = fmt::layer().with_ansi(false).with_writer(File(log.clone()));
        let file = file.with_filter(levels(ours.max(LevelFilter::INFO), others));
        let shown = if verbosity > Verbosity::Default { (ours, others) } else { (LevelFilter::OFF, LevelFilter::OFF) };
        let terminal = fmt::layer().with_ansi(false).without_time().with_writer(Terminal(log.clone(), streams));
        let terminal = terminal.with_filter(levels(shown.0, shown.1));
        // Only a test that calls twice in one process finds a log that has begun.
        let _ = tracing_subscriber::registry().with(file).with(terminal).try_init();
        log
    }

    /// Where lines are kept, if they outlive this process: whoever fails names it.
    pub(crate) fn place(&self) -> Option<PathBuf> {
        self.state().place.clone()
    }

    /// Takes these secrets out of every line from now on, wherever it goes.
    pub(crate) fn guard(&self, secrets: Arc<dyn Secrets>) {
        self.state().secrets = Some(secrets);
    }

    /// Keeps lines in this directory from now on, those that waited first. The directory of a rehearsal may not outlive it.
    pub(crate) fn keep(&self, directory: &Path, secrets: Arc<dyn Secrets>, is_lasting: bool) -> Result<(), Problem> {
        let mut state = self.state();
        state.secrets = Some(secrets);
        if state.file.is_none() {
            let file = LogFile::open(directory)?;
            state.place = is_lasting.then(|| file.path().to_path_buf());
            let gap = |lines| Some(format!("[{lines} lines are missing: they could not be written in time]\n"));
            state.file = Some(Outlet::new("log", ROOM, gap, Box::new(move || Ok(Box::new(file)))));
        }
        let waiting = std::mem::take(&mut state.waiting);
        state.write(&waiting);
        Ok(())
    }

    /// Waits until what was logged is written, at most so long.
    pub(crate) fn end(&self, at_most: Duration) {
        let file = self.state().file.clone();
        let _ = file.is_none_or(|file| file.wait(at_most));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn levels(verbosity: Verbosity) -> (LevelFilter, LevelFilter) {
    match verbosity {
        Verbosity::Quiet | Verbosity::Default => (LevelFilter::INFO, LevelFilter::WARN),
        Verbosity::Verbose => (LevelFilter::DEBUG, LevelFilter::WARN),
        Verbosity::Trace => (LevelFilter::TRACE, LevelFilter::INFO),
    }
}

impl State {
    /// Writes whole lines. A disk that is full must not end a run: the line is lost.
    fn write(&mut self, lines: &[u8]) {
        let clean = self.redacted(lines);
        match &mut self.file {
            Some(file) => file.lines(clean.as_bytes()),
            None if self.waiting.len() + lines.len() <= MOST_WAITING => self.waiting.extend_from_slice(lines),
            None => {}
        }
    }

    fn redacted(&self, lines: &[u8]) -> String {
        let text = String::from_utf8_lossy(lines);
        let text = self.secrets.as_ref().map_or_else(|| text.clone().into_owned(), |secrets| secrets.redact(&text));
        visible_lines(&text).into_owned()
    }
}

/// Writes to the file.
struct File(Log);

/// Writes to standard error.
struct Terminal(Log, Arc<Streams>);

impl Write for &File {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.state().write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for &Terminal {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let clean = self.0.state().redacted(line);
        self.1.err().lines(clean.as_bytes());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for File {
    type Writer = &'a File;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl<'a> MakeWriter<'a> for Terminal {
    type Writer = &'a Terminal;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}
