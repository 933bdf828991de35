//! SIGINT, SIGTERM and SIGHUP. They are heard from the first moment to the last, whatever else waits.
//!
//! While a plan runs, the first one lets it finish what is in flight, the second one drops that. At any other time the first one ends
//! the verb, which gives the site's lock back. One more ends the process where it stands: the next run takes its lock over.

use crate::process;
use plinth_model::{Exit, Problem};
use plinth_run::{StopLevel, StopSignal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// What was heard so far.
#[derive(Clone, Copy, Default)]
struct Heard {
    times: u32,
    /// The signal that no run took: the verb has to end.
    unheeded: Option<&'static str>,
}

/// The signals of this process. Clones are the same ones.
#[derive(Clone)]
pub(crate) struct Signals {
    run: Arc<Mutex<Option<StopSignal>>>,
    heard: Arc<watch::Sender<Heard>>,
}

/// A run takes signals as long as this lives.
pub(crate) struct Taken<'a>(&'a Signals);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.run() = None;
    }
}

impl Signals {
    /// Hears nothing, until [`Signals::listen`].
    pub(crate) fn new() -> Self {
        Self { run: Arc::default(), heard: Arc::new(watch::Sender::new(Heard::default())) }
    }

    /// Begins to listen. One listener per signal hears them all; a new one each time would miss what comes between two.
    pub(crate) fn listen(&self, runtime: &tokio::runtime::Runtime) {
        let _context = runtime.enter();
        let kinds = [
            (SignalKind::interrupt(), "Ctrl-C (SIGINT)"),
            (SignalKind::terminate(), "SIGTERM"),
            (SignalKind::hangup(), "SIGHUP (the terminal went away)"),
        ];
        // A process that was started to outlive its terminal hears nothing of the terminal's end.
        let outlives = |kind: SignalKind| kind == SignalKind::hangup() && process::ignores(kind.as_raw_value());
        for (kind, name) in kinds.into_iter().filter(|(kind, _)| !outlives(*kind)) {
            let Ok(mut listener) = signal(kind) else { continue };
            let signals = self.clone();
            runtime.spawn(async move {
                while listener.recv().await.is_some() {
                    signals.take(name);
                }
            });
        }
    }

    fn take(&self, name: &'static str) {
        let run = self.run().clone();
        let ignored = match &run {
            Some(stop) => stop.level() == StopLevel::Now,
            None => self.heard.borrow().unheeded.is_some(),
        };
        if ignored {
            // What should have ended did not; the lock of a process that is gone is taken over.
            crate::terminal::give_back();
            std::process::exit(Exit::Partly.code().into());
        }
        self.heard.send_modify(|heard| {
            heard.times += 1;
            heard.unheeded = if run.is_none() { Some(name) } else { heard.unheeded };
        });
        if let Some(stop) = run {
            stop.raise();
        }
    }

    fn run(&self) -> MutexGuard<'_, Option<StopSignal>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signals go to this run from now on.
    pub(crate) fn during(&self, stop: &StopSignal) -> Taken<'_> {
        *self.run() = Some(stop.clone());
        Taken(self)
    }

    /// How many came.
    pub(crate) fn heard(&self) -> u32 {
        self.heard.borrow().times
    }

    /// Waits for one that no run takes. Answers what the person is told.
    pub(crate) async fn unheeded(&self) -> Problem {
        let mut heard = self.heard.subscribe();
        let name = heard.wait_for(|heard| heard.unheeded.is_some()).await.ok().and_then(|heard| heard.unheeded);
        Problem::while_doing("carrying out the command")
            .because(Exit::Partly, format!("{} stopped it; no step was running", name.unwrap_or("a signal")))
            .try_this("run the same command again: it begins with a look at what is there")
    }
}
