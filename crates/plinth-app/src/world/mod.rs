//! The world of an operation: the real site, or a data centre made up for it. Nothing else differs between `apply` and `rehearse`.

mod real;
mod simulated;

use plinth_sim::SimRenderer;
pub use plinth_sim::{Fault, FaultError, Pace, Simulation};
pub(crate) use real::bcm::{Obstacle, ask_bcm};
pub use real::bcm::{record_inventory, recorded_inventory};
pub use simulated::{Crash, MadeUp, Script, fault_problem, synthetic};

use crate::input::Input;
use plinth_model::inventory::Inventory;
use plinth_model::{Finding, Plan, Problem};
use plinth_plan::Discovery;
use plinth_run::{Durability, StepEnv};
use plinth_site::Desired;
use plinth_world::helm::ManifestRenderer;
use plinth_world::secrets::Secrets;
use plinth_world::{Clock, Context, SystemClock};
use real::Real;
use simulated::Simulated;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

/// Which world an operation acts in.
pub enum World {
    /// The real site.
    Real,
    /// The real site by another clock, for tests of what takes long.
    Timed(Arc<dyn Clock>),
    /// A data centre in this process, made from the site. Its time is virtual.
    Simulated(Script),
}

impl World {
    /// Whether nothing real is touched.
    #[must_use]
    pub const fn is_rehearsal(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }
}

/// A world that was opened.
pub(crate) enum OpenWorld {
    /// The real site.
    Real(Box<Real>),
    /// A made-up one.
    Simulated(Box<Simulated>),
}

impl OpenWorld {
    /// Opens the world of a site; answers what of the site holds in it, and its inventory if that is known before anybody is asked.
    /// Contacts nobody.
    pub(crate) fn open(
        world: World,
        input: &Input,
        directory: &Path,
        recorded: Option<Inventory>,
    ) -> Result<(Self, Desired, Option<Inventory>), Problem> {
        let desired = input.site.desired.clone();
        let real = |clock| Self::Real(Box::new(Real::new(input, directory, clock)));
        match world {
            World::Real => Ok((real(Arc::new(SystemClock::new())), desired, recorded)),
            World::Timed(clock) => Ok((real(clock), desired, recorded)),
            World::Simulated(script) => {
                let (simulated, desired) = Simulated::new(script, desired, recorded, directory)?;
                Ok((Self::Simulated(Box::new(simulated)), desired, None))
            }
        }
    }

    /// Nothing real is touched.
    pub(crate) const fn is_rehearsal(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }

    /// Begins what only the holder of the site's lock may begin.
    pub(crate) fn begin(&mut self, desired: &Desired) -> Result<(), Problem> {
        match self {
            Self::Real(_) => Ok(()),
            Self::Simulated(simulated) => simulated.open(desired),
        }
    }

    /// How durable records must be: those of a rehearsal may be lost with the machine's power.
    pub(crate) const fn durability(&self) -> Durability {
        if self.is_rehearsal() { Durability::Process } else { Durability::Power }
    }

    /// A finding for each secret below this path of the site file that cannot be had. A rehearsal reads none.
    pub(crate) fn missing_secrets(&self, desired: &Desired, path: &str) -> Vec<Finding> {
        match self {
            Self::Real(real) => real.missing_secrets(desired, path),
            Self::Simulated(_) => Vec::new(),
        }
    }

    /// What is doubtful about the secrets that were read so far.
    pub(crate) fn secret_warnings(&self) -> Vec<Finding> {
        match self {
            Self::Real(real) => real.secret_warnings(),
            Self::Simulated(_) => Vec::new(),
        }
    }

    /// What knows which texts are secret; none before a simulation runs, when there are none.
    pub(crate) fn secrets(&self) -> Option<Arc<dyn Secrets>> {
        match self {
            Self::Real(real) => Some(real.secrets()),
            Self::Simulated(simulated) => simulated.env().ok().map(|env| env.secrets),
        }
    }

    /// The inventory, from where the site file says.
    pub(crate) async fn inventory(&self, desired: &Desired) -> Result<Inventory, Problem> {
        match self {
            Self::Real(real) => real.inventory(desired).await,
            Self::Simulated(simulated) => simulated.inventory(desired).await,
        }
    }

    /// The package index that this machine is set up for.
    pub(crate) fn package_index(&self) -> String {
        match self {
            Self::Real(_) => plinth_ansible::package_index(),
            Self::Simulated(_) => plinth_ansible::DEFAULT_INDEX.to_owned(),
        }
    }

    /// Takes nodes over from another state directory.
    pub(crate) fn take_over(&mut self) {
        if let Self::Real(real) = self {
            real.take_over();
        }
    }

    /// Makes the world ready for steps on these nodes. The real one is.
    pub(crate) fn prepare(
        &mut self,
        inventory: &Inventory,
        discovery: &Discovery,
        plan: Option<&Plan>,
    ) -> Result<(), Problem> {
        match self {
            Self::Real(_) => Ok(()),
            Self::Simulated(simulated) => simulated.start(inventory, discovery, plan),
        }
    }

    /// Clients, secrets and clock for steps.
    pub(crate) fn env(&self, desired: &Desired) -> Result<StepEnv, Problem> {
        match self {
            Self::Real(real) => real.env(desired),
            Self::Simulated(simulated) => simulated.env(),
        }
    }

    /// What renders manifests, and the clock for it. Secrets are got for neither.
    pub(crate) fn renderer(&self, desired: &Desired) -> Result<(Arc<dyn ManifestRenderer>, Context), Problem> {
        match self {
            Self::Real(real) => Ok((Arc::new(real.renderer(desired)?), Context::quiet(Arc::new(SystemClock::new())))),
            Self::Simulated(simulated) => Ok((Arc::new(SimRenderer), simulated.env()?.ctx)),
        }
    }

    /// Lets work happen in this world's time; `watched` work may be slowed down for people.
    pub(crate) async fn drive<F: Future>(&self, work: F, watched: bool) -> F::Output {
        match self {
            Self::Real(_) => work.await,
            Self::Simulated(simulated) => simulated.drive(work, watched).await,
        }
    }

    /// The crash that was asked for.
    pub(crate) fn crash(&self) -> Option<Crash> {
        match self {
            Self::Real(_) => None,
            Self::Simulated(simulated) => simulated.crash(),
        }
    }

    /// Whether journal and world outlive this process, so that the next run continues.
    pub(crate) const fn is_kept(&self) -> bool {
        match self {
            Self::Real(_) => true,
            Self::Simulated(simulated) => simulated.is_kept(),
        }
    }

    /// The simulation, once it runs.
    pub(crate) fn simulated(&self) -> Option<&Simulated> {
        match self {
            Self::Real(_) => None,
            Self::Simulated(simulated) => Some(simulated),
        }
    }
}
