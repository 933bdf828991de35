//! The terminal that a run is drawn on: its size, what it can do, and that it is given back as it was.

use crate::keys;
use plinth_report::{Background, Features, Terminal};
use rustix::process::{Pid, Signal, getpid, getppid, kill_process};
use rustix::termios::tcgetwinsize;
use std::io::Write as _;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Where nothing is known of a terminal.
const USUAL: (usize, usize) = (80, 24);
/// How long a terminal is waited for before the process is stopped or ends: one that is not read keeps what stands on it.
const PATIENCE: Duration = Duration::from_millis(200);

/// The view that is shown now.
static SHOWN: Mutex<Option<Background>> = Mutex::new(None);
/// Somebody listens for Ctrl-Z.
static LISTENS: AtomicBool = AtomicBool::new(false);

/// What the terminal can do on which a view is drawn now; a process has one at most.
static DRAWN: Mutex<Option<Features>> = Mutex::new(None);

/// Standard error, for a view that is drawn from now on.
pub(crate) fn on_stderr() -> Terminal {
    let features = features();
    drawn(Some(features));
    Terminal { out: Box::new(std::io::stderr()), size: Box::new(|| size(std::io::stderr())), features }
}

/// What this terminal says it can do.
pub(crate) fn features() -> Features {
    Features::detect(|name| std::env::var(name).ok())
}

/// Columns and rows of a terminal.
pub(crate) fn size(terminal: impl AsFd) -> (usize, usize) {
    let told = tcgetwinsize(terminal).map_or((0, 0), |size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    match told {
        (0, _) | (_, 0) => USUAL,
        told => told,
    }
}

/// No view is drawn any more.
pub(crate) fn is_free() {
    drawn(None);
    *shown() = None;
}

fn drawn(features: Option<Features>) -> Option<Features> {
    let mut now = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut *now, features)
}

/// Makes the terminal usable again: before a process that ends where it stands.
pub(crate) fn give_back() {
    keys::give_back();
    let Some(features) = drawn(None) else { return };
    let (written, done) = channel();
    let writer = std::thread::Builder::new().spawn(move || {
        let _ = std::io::stderr().write_all(features.give_back().as_bytes());
        let _ = written.send(());
    });
    if writer.is_ok() {
        let _ = done.recv_timeout(PATIENCE);
    }
}

/// From now on, and until [`is_free`], Ctrl-Z takes the view away before it stops the process; `fg` draws it again.
pub(crate) fn stops_with(view: &Background) {
    // Whoever started this process may not want it to be stopped.
    if keys::is_ignored(Signal::TSTP.as_raw()) {
        return;
    }
    *shown() = Some(view.clone());
    if LISTENS.swap(true, Ordering::Relaxed) {
        return;
    }
    let Ok(mut listener) = signal(SignalKind::from_raw(Signal::TSTP.as_raw())) else { return };
    // To the end of the process: a signal that was caught once stays caught.
    tokio::spawn(async move {
        while listener.recv().await.is_some() {
            stop();
        }
    });
}

fn shown() -> MutexGuard<'static, Option<Background>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
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
    let view = shown().clone();
    if let Some(view) = &view {
        view.hold(PATIENCE);
        keys::give_back();
    }
    // What is behind this line happens when the process goes on.
    let _ = kill_process(getpid(), Signal::STOP);
    // A view that ended meanwhile has given the keys back for good.
    let still = shown();
    if let Some(view) = view.filter(|_| still.is_some()) {
        keys::be_quiet();
        view.go_on();
    }
}
