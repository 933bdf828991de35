//! What all simulated clients share: the world, the clock, the faults, the seed.

use crate::faults::{Fault, FaultKind};
use crate::timing::Timing;
use crate::world::{Effect, State, World, WorldError};
use jiff::{SignedDuration, Timestamp};
use plinth_world::{ClientError, ClientResult, Clock};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The data centre behind the clients.
pub(crate) struct DataCentre {
    world: Arc<Mutex<World>>,
    clock: Arc<dyn Clock>,
    /// Faults that may strike in this run.
    armed: Vec<Fault>,
    /// Those of them that pass at once and have passed.
    passed: Mutex<BTreeSet<String>>,
    /// Those of them that struck in this run.
    struck: Mutex<BTreeSet<String>>,
    pub(crate) timing: Timing,
}

impl DataCentre {
    /// Faults that fired in an earlier run of this world are healed, unless they are for always.
    pub(crate) fn new(world: Arc<Mutex<World>>, clock: Arc<dyn Clock>, faults: Vec<Fault>, seed: u64) -> Self {
        let fired = lock(&world).state().fired.clone();
        let armed = faults.into_iter().filter(|fault| fault.always || !fired.contains(fault.text())).collect();
        Self { world, clock, armed, passed: Mutex::default(), struck: Mutex::default(), timing: Timing { seed } }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn after(&self, wait: Duration) -> Timestamp {
        later(self.now(), wait)
    }

    /// Lets about `seconds` pass.
    pub(crate) async fn spend(&self, what: &str, target: &str, seconds: f64) {
        self.clock.sleep(self.timing.around(what, target, seconds)).await;
    }

    pub(crate) async fn wait(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// Looks at the state as it is now.
    pub(crate) fn look<R>(&self, at: impl FnOnce(&State, Timestamp) -> R) -> ClientResult<R> {
        let now = self.now();
        let mut world = self.world();
        world.catch_up(now).map_err(|error| unwritable(&error))?;
        Ok(at(world.state(), now))
    }

    /// Makes an effect happen now.
    pub(crate) fn effect(&self, effect: Effect) -> ClientResult<()> {
        let now = self.now();
        self.world().record(now, effect).map_err(|error| unwritable(&error))
    }

    /// Whether a fault of this kind strikes. Stays in force until the run ends; is spent for the next one.
    pub(crate) fn strikes(&self, matches: impl Fn(&FaultKind) -> bool) -> ClientResult<bool> {
        let Some(fault) = self.armed.iter().find(|fault| matches(&fault.kind)) else { return Ok(false) };
        let text = fault.text();
        if !self.look(|state, _| state.fired.contains(text))? {
            self.effect(Effect::FaultFired { fault: text.to_owned() })?;
        }
        self.struck().insert(text.to_owned());
        Ok(true)
    }

    /// Whether nobody answers at this address.
    pub(crate) fn silent(&self, url: &str) -> ClientResult<bool> {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or(rest);
        self.strikes(|kind| matches!(kind, FaultKind::Source { host: silent } if silent == host || silent == "all"))
    }

    fn struck(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Texts of the armed faults that did not strike in this run. BCM faults may strike before there are clients, so those count
    /// by what the world remembers; crashes are left out, since the binary acts on them.
    pub(crate) fn unspent(&self) -> Vec<String> {
        let (struck, fired) = (self.struck().clone(), self.world().state().fired.clone());
        let spent = |fault: &Fault| match fault.kind {
            FaultKind::Crash { .. } => true,
            FaultKind::Bcm(_) => struck.contains(fault.text()) || fired.contains(fault.text()),
            _ => struck.contains(fault.text()),
        };
        self.armed.iter().filter(|fault| !spent(fault)).map(|fault| fault.text().to_owned()).collect()
    }

    /// Writes down that all faults of this kind strike.
    pub(crate) fn strike_all(&self, matches: impl Fn(&FaultKind) -> bool) -> ClientResult<()> {
        for fault in self.armed.iter().filter(|fault| matches(&fault.kind)) {
            self.strikes(|kind| *kind == fault.kind)?;
        }
        Ok(())
    }

    /// As [`DataCentre::strikes`], for a fault that is over as soon as it struck.
    pub(crate) fn strikes_once(&self, matches: impl Fn(&FaultKind) -> bool) -> ClientResult<bool> {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fresh = |fault: &&Fault| matches(&fault.kind) && (fault.always || !passed.contains(fault.text()));
        let Some(text) = self.armed.iter().find(fresh).map(|fault| fault.text().to_owned()) else { return Ok(false) };
        let struck = self.strikes(&matches)?;
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
        Ok(struck)
    }
}

/// A moment behind another.
pub(crate) fn later(at: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unwritable(error: &WorldError) -> ClientError {
    ClientError::new("simulation", "writing down what happened in the simulated world")
        .happened(error.to_string())
        .attempt("free space in the state directory, then run again: nothing that was written is lost")
}
