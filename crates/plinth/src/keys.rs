//! Keys that are pressed while the live view stands: `^C` is not echoed into it, so the view knows where its lines are.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use std::io::{IsTerminal as _, stdin};

/// The terminal echoes no control characters as long as this lives.
pub(crate) struct QuietKeys(Option<Termios>);

impl QuietKeys {
    /// Changes nothing where there is no terminal, or another job has it.
    pub(crate) fn new() -> Self {
        let before = if has_terminal() { tcgetattr(stdin()).ok() } else { None };
        Self(before.filter(|before| {
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHOCTL);
            tcsetattr(stdin(), OptionalActions::Now, &quiet).is_ok()
        }))
    }
}

impl Drop for QuietKeys {
    fn drop(&mut self) {
        if let Some(before) = &self.0
            && has_terminal()
        {
            // A terminal that went away needs nothing back.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

/// Whether this is the job in front: one behind would be stopped for changing the terminal.
fn has_terminal() -> bool {
    stdin().is_terminal() && tcgetpgrp(stdin()).is_ok_and(|front| front == rustix::process::getpgrp())
}
