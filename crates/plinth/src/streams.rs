//! Everything that leaves this process as text, each on a thread of its own: standard output and error, the events of a run, the log.
//! Nobody who writes waits; at the end the process waits for its readers, and a signal ends that.

use crate::signals::Signals;
use plinth_model::text::visible;
use plinth_report::{Background, Outlet};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Most that waits for a terminal or pipe that is not read, bytes. The lines of a run of 1,000 nodes are about 100 KiB.
const ROOM: usize = 8 * 1024 * 1024;
/// Most events that wait for their reader, bytes: a run of 1,000 nodes has about 10 MiB of them.
const ROOM_FOR_EVENTS: usize = 64 * 1024 * 1024;
/// How long words of one stream wait for those of another, so that they stand in the order in which they were said.
const ORDER: Duration = Duration::from_secs(1);
/// How long a process that was told to end waits for its readers. Nobody can say more who was asked to stop.
const TOLD_TO_END: Duration = Duration::from_secs(1);
/// Whoever has not read all events this long after the run is named, so that nobody wonders what is waited for.
const READ_AT_ONCE: Duration = Duration::from_secs(1);
/// Between two looks for a signal while readers are waited for.
const LOOK: Duration = Duration::from_millis(50);

/// The ways out of one process.
#[derive(Default)]
pub(crate) struct Streams {
    out: OnceLock<Outlet>,
    err: OnceLock<Outlet>,
    views: Mutex<Vec<Background>>,
    events: Mutex<Vec<(PathBuf, Outlet)>>,
}

/// Lines of a run's events that did not reach their file, and why.
pub(crate) struct LostEvents {
    pub(crate) file: PathBuf,
    pub(crate) happened: String,
}

impl Streams {
    /// Standard output. Where both are the same terminal or file, both are one stream: what is said first stands first.
    pub(crate) fn out(&self) -> &Outlet {
        self.out.get_or_init(|| {
            if are_one() { self.err().clone() } else { stream("standard output", || Box::new(io::stdout())) }
        })
    }

    /// Standard error.
    pub(crate) fn err(&self) -> &Outlet {
        self.err.get_or_init(|| stream("standard error", || Box::new(io::stderr())))
    }

    /// Begins a file of events. It is opened behind: a FIFO is, when somebody reads it.
    pub(crate) fn events(&self, file: &Path, open: plinth_report::Open) -> Outlet {
        let outlet = Outlet::new("events", ROOM_FOR_EVENTS, |_| None, open);
        locked(&self.events).push((file.to_path_buf(), outlet.clone()));
        outlet
    }

    /// A view that draws on standard error, behind what was said before.
    pub(crate) fn show(&self, make: impl FnOnce() -> io::Result<Background>) -> io::Result<Background> {
        let _ = self.err().wait(ORDER);
        let view = make()?;
        locked(&self.views).push(view.clone());
        Ok(view)
    }

    /// No more events come. What is said next stands behind the view: its last frame would cover it. Nobody waits for that longer than
    /// for a terminal that is not read.
    pub(crate) fn hide(&self, view: &Background) {
        if !view.wait(ORDER) {
            let view = view.clone();
            self.err().after(Box::new(move || view.wait(LOOK)));
        }
    }

    /// Waits until everything was read that can be. Ends early when a signal comes, and soon when one came before. `tell`: who is told whom
    /// it waits for.
    pub(crate) fn end(&self, signals: &Signals, tell: &dyn Fn(&str)) -> Vec<LostEvents> {
        let patience = Patience::new(signals);
        locked(&self.views).iter().for_each(|view| patience.until(|at_most| view.wait(at_most)));
        let lost = locked(&self.events)
            .iter()
            .filter_map(|(file, outlet)| events_lost(file, outlet, &patience, tell))
            .collect();
        self.drain(&patience);
        lost
    }

    /// Waits until all text is out; ends early when a signal comes.
    pub(crate) fn last_words(&self, signals: &Signals) {
        self.drain(&Patience::new(signals));
    }

    fn drain(&self, patience: &Patience<'_>) {
        for outlet in [&self.err, &self.out].into_iter().filter_map(OnceLock::get) {
            patience.until(|at_most| outlet.wait(at_most));
        }
    }

    /// Why standard output could not be written; a reader that went away is no error.
    pub(crate) fn lost(&self) -> Option<io::Error> {
        let out = self.out.get()?;
        out.error().filter(|error| error.kind() != ErrorKind::BrokenPipe)
    }
}

fn events_lost(file: &Path, outlet: &Outlet, patience: &Patience<'_>, tell: &dyn Fn(&str)) -> Option<LostEvents> {
    if !outlet.wait(READ_AT_ONCE) {
        tell(&format!(
            "waiting for whoever reads the events in {}; Ctrl-C ends that, and everything is in the journal",
            visible(&file.display().to_string())
        ));
    }
    patience.until(|at_most| outlet.wait(at_most));
    let read = outlet.wait(Duration::ZERO);
    let happened = match (outlet.error(), outlet.lost()) {
        (Some(error), lost) => format!("{error}; {lost} events or more are missing there"),
        (None, 0) if read => return None,
        (None, 0) => "it was not read to its end; the last events are missing there".to_owned(),
        (None, lost) => format!("it was not read for too long; {lost} events are missing there"),
    };
    Some(LostEvents { file: file.to_path_buf(), happened })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long readers are waited for: as long as nobody says that it is enough.
struct Patience<'a> {
    signals: &'a Signals,
    heard: u32,
    began: std::time::Instant,
}

impl<'a> Patience<'a> {
    fn new(signals: &'a Signals) -> Self {
        Self { signals, heard: signals.heard(), began: std::time::Instant::now() }
    }

    fn until(&self, wait: impl Fn(Duration) -> bool) {
        while !self.is_over() && !wait(LOOK) {}
    }

    fn is_over(&self) -> bool {
        self.signals.heard() > self.heard || (self.heard > 0 && self.began.elapsed() > TOLD_TO_END)
    }
}

fn stream(name: &'static str, open: fn() -> Box<dyn Write + Send>) -> Outlet {
    let gap =
        |lines| Some(format!("[{lines} lines were not shown: nobody read them here. `plinth status` knows all]\n"));
    Outlet::new(name, ROOM, gap, Box::new(move || Ok(open())))
}

/// Whether standard output and error are the same terminal, file or pipe.
fn are_one() -> bool {
    let (Ok(out), Ok(err)) = (rustix::fs::fstat(io::stdout()), rustix::fs::fstat(io::stderr())) else { return false };
    (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)
}
