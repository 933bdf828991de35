//! Keys that are pressed while the live view stands: `^C` is not echoed into it, so the view knows where its lines are.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use std::io::{IsTerminal as _, stdin};
use std::sync::{Mutex, PoisonError};

/// How the terminal was; a process has one.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal echoes no control characters as long as this lives.
pub(crate) struct QuietKeys;

impl QuietKeys {
    /// Changes nothing where there is no terminal, or another job has it.
    pub(crate) fn new() -> Self {
        be_quiet();
        Self
    }
}

impl Drop for QuietKeys {
    fn drop(&mut self) {
        give_back();
    }
}

/// No control characters are echoed until the terminal is given back.
pub(crate) fn be_quiet() {
    let before = if has_terminal() { tcgetattr(stdin()).ok() } else { None };
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = before.filter(|before| {
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHOCTL);
        tcsetattr(stdin(), OptionalActions::Now, &quiet).is_ok()
    });
}

/// Gives the terminal back as it was: also before a process that ends where it stands.
pub(crate) fn give_back() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before
        && has_terminal()
    {
        // A terminal that went away needs nothing back.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
    }
}

/// Whether this is the job in front: one behind would be stopped for changing the terminal.
fn has_terminal() -> bool {
    stdin().is_terminal() && tcgetpgrp(stdin()).is_ok_and(|front| front == rustix::process::getpgrp())
}
