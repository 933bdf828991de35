//! The terminal that a run is drawn on: its size, what it can do, and that it is given back as it was.

use crate::{keys, process};
use plinth_report::{Background, Features, Terminal};
use rustix::process::{Pid, Signal, getpid, getppid, kill_process};
use rustix::termios::tcgetwinsize;
use std::io::{Write as _, stderr, stdout};
use std::os::fd::AsFd;
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Where nothing is known of a terminal.
const USUAL: (usize, usize) = (80, 24);
/// How long a terminal is waited for before the process is stopped or ends: one that is not read keeps what stands on it.
const PATIENCE: Duration = Duration::from_millis(200);

/// What is drawn on a terminal now; a process draws on one at most.
static NOW: Mutex<Now> = Mutex::new(Now { drawn: None, view: None, listens: false, went_on: false });

struct Now {
    /// Where it is drawn, and what that terminal can do.
    drawn: Option<(Place, Features)>,
    /// A view that can be taken away.
    view: Option<Background>,
    /// Somebody listens for Ctrl-Z.
    listens: bool,
    /// The process was stopped and goes on.
    went_on: bool,
}

#[derive(Clone, Copy)]
enum Place {
    Stdout,
    Stderr,
}

fn now() -> MutexGuard<'static, Now> {
    NOW.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard error, for a view that is drawn from now on.
pub(crate) fn on_stderr() -> Terminal {
    let features = drawn_on(Place::Stderr);
    Terminal { out: Box::new(stderr()), size: Box::new(|| size(stderr())), features }
}

/// Standard output is drawn on from now on, and until [`is_free`]. Answers what that terminal can do.
pub(crate) fn on_stdout() -> Features {
    let features = drawn_on(Place::Stdout);
    listen();
    features
}

/// What the terminal says it can do.
fn drawn_on(place: Place) -> Features {
    let features = Features::detect(|name| std::env::var(name).ok());
    now().drawn = Some((place, features));
    features
}

/// Columns and rows of a terminal.
pub(crate) fn size(terminal: impl AsFd) -> (usize, usize) {
    let told = tcgetwinsize(terminal).map_or((0, 0), |size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    match told {
        (0, _) | (_, 0) => USUAL,
        told => told,
    }
}

/// Columns of a terminal; none: it is no terminal, or does not say.
pub(crate) fn columns(terminal: impl AsFd) -> Option<usize> {
    tcgetwinsize(terminal).map(|size| usize::from(size.ws_col)).ok().filter(|columns| *columns > 0)
}

/// Nothing is drawn any more.
pub(crate) fn is_free() {
    let mut now = now();
    (now.drawn, now.view) = (None, None);
}

/// Makes the terminal usable again: before a process that ends where it stands.
pub(crate) fn give_back() {
    keys::give_back();
    let drawn = now().drawn.take();
    drawn.into_iter().for_each(|(place, features)| write(place, features.give_back()));
}

/// Writes to a terminal that may not be read.
fn write(place: Place, text: &'static str) {
    let (written, done) = channel();
    let writer = std::thread::Builder::new().spawn(move || {
        let _ = match place {
            Place::Stdout => stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()),
            Place::Stderr => stderr().write_all(text.as_bytes()),
        };
        let _ = written.send(());
    });
    if writer.is_ok() {
        let _ = done.recv_timeout(PATIENCE);
    }
}

/// From now on, and until [`is_free`], Ctrl-Z takes the view away before it stops the process; `fg` draws it again.
pub(crate) fn stops_with(view: &Background) {
    now().view = Some(view.clone());
    listen();
}

/// Whether the process was stopped since this was asked last: what was drawn stands somewhere above.
pub(crate) fn went_on() -> bool {
    std::mem::take(&mut now().went_on)
}

/// Listens for Ctrl-Z, once, to the end of the process: a signal that was caught once stays caught.
fn listen() {
    // Whoever started this process may not want it to be stopped.
    if process::ignores(Signal::TSTP.as_raw()) || std::mem::replace(&mut now().listens, true) {
        return;
    }
    let Ok(mut listener) = signal(SignalKind::from_raw(Signal::TSTP.as_raw())) else { return };
    tokio::spawn(async move {
        while listener.recv().await.is_some() {
            stop();
        }
    });
}

/// Whether our parent is of our session. Asked of /proc, because the session of a process may have been begun outside of our PID namespace
/// (`nsenter`, a build's container): its number is 0 then, which `getsid` of rustix has no value for.
fn has_shell() -> bool {
    let session = |process: Pid| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
        // Behind the name, which may hold anything: state, parent, process group, session (proc(5)).
        stat.rsplit_once(')')?.1.split_whitespace().nth(3).map(str::to_owned)
    };
    getppid().is_some_and(|parent| session(parent).is_some_and(|theirs| session(getpid()) == Some(theirs)))
}

fn stop() {
    // Nobody could let a process go on whose shell is gone; the kernel does not stop it either.
    if !has_shell() {
        return;
    }
    let (view, drawn) = {
        let now = now();
        (now.view.clone(), now.drawn)
    };
    match (&view, drawn) {
        (Some(view), _) => {
            view.hold(PATIENCE);
            keys::give_back();
        }
        // What is drawn there stays; whoever draws asks [`went_on`].
        (None, Some((place, features))) => write(place, features.give_back()),
        (None, None) => {}
    }
    // What is behind this line happens when the process goes on.
    let _ = kill_process(getpid(), Signal::STOP);
    // A view that ended meanwhile has given the keys back for good.
    let mut now = now();
    now.went_on = true;
    if let Some(view) = view.filter(|_| now.view.is_some()) {
        keys::be_quiet();
        view.go_on();
    }
}
