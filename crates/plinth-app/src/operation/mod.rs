//! One operation on a site: open, observe, plan, approve, run. See [`Operation`].

mod approve;
mod charts;
mod manifests;
mod observe;
mod open;
mod plan;
mod refusal;
mod room;
mod run;
mod sources;
mod unprovisioned;
mod values;
mod waiting;

pub use approve::{Always, Approve, Approved};
pub use charts::{ChartMove, Refreshed};
pub use observe::{Depth, Discovered, Observation};
pub use open::{Access, Setup};
pub use plan::Planned;

use crate::audience::Audience;
use crate::goal::Goal;
use crate::input::Input;
use crate::state::SiteLock;
use crate::world::{OpenWorld, Simulation};
use plinth_model::inventory::Inventory;
use plinth_model::{Finding, NodeName, Problem};
use plinth_run::StepEnv;
use plinth_site::Desired;
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// One operation on a site, from its file to the end of a run:
///
/// ```no_run
/// # use plinth_app::{Access, Depth, Failure, Goal, Input, Operation, Setup, World, audience::Nobody, operation::Always};
/// # use plinth_run::{RunReport, StopSignal};
/// # use std::{path::Path, sync::Arc};
/// # async fn apply() -> Result<RunReport, Failure> {
/// let input = Input::load(Path::new("site.yaml"))?;
/// let setup = Setup { input, state: None, recorded: None, access: Access::Change, goal: Goal::Site, audience: &Nobody };
/// let mut operation = Operation::open(setup, World::Real)?;
/// let seen = operation.observe(Depth::Steps).await?;
/// let planned = operation.plan(seen)?;
/// let Some(mut approved) = operation.approve(planned, &Always).await? else { unreachable!("`Always` says yes") };
/// Ok(operation.run(&mut approved, Arc::new(|_event| {}), StopSignal::new()).await?)
/// # }
/// ```
pub struct Operation<'a> {
    input: Input,
    desired: Desired,
    directory: PathBuf,
    recorded: Option<Inventory>,
    goal: Goal,
    audience: &'a dyn Audience,
    /// In a mutex only so that an operation may be shared among threads; it is locked by whoever has it alone.
    lock: Option<Mutex<SiteLock>>,
    pub(crate) world: OpenWorld,
    /// Sources are not asked whether they answer.
    skips_source_check: bool,
    /// The trace that its runs are a part of.
    traceparent: Option<String>,
    /// Others are told about a rehearsal too.
    tells_rehearsal: bool,
    /// Who could not be told about its runs.
    untold: Vec<Finding>,
}

impl Operation<'_> {
    /// The site file and the catalog.
    #[must_use]
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The site as it holds in this world: a rehearsal may replace addresses.
    #[must_use]
    pub fn desired(&self) -> &Desired {
        &self.desired
    }

    /// The state directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The data centre of a rehearsal, once its inventory was read.
    #[must_use]
    pub fn simulation(&self) -> Option<&Simulation> {
        self.world.simulated()?.simulation()
    }

    /// Whether its run tells how long a real one takes: a rehearsal of this very site, in which nothing goes wrong on purpose, of the whole job,
    /// and without a folder of its own. One that leaves nodes out, goes on where another ended, or finds all done, tells nothing of that.
    #[must_use]
    pub fn predicts(&self) -> bool {
        let is_first = self.lock.as_ref().is_none_or(|lock| locked(lock).journal.memory().run.is_none());
        let is_whole = is_first && self.desired.run.without.is_empty();
        is_whole && self.world.simulated().is_some_and(|simulated| simulated.is_of_the_site())
    }

    /// Whether nodes, networks and addresses were made up.
    #[must_use]
    pub fn is_made_up(&self) -> bool {
        self.world.simulated().is_some_and(|simulated| simulated.is_made_up())
    }

    /// Leaves these workers out of the plan: nothing is done on them, and nothing waits for them.
    pub fn leave_out(&mut self, nodes: &[NodeName]) {
        self.desired.run.without = nodes.to_vec();
    }

    /// Takes the site over from another state directory: its marks on the nodes are replaced.
    pub fn take_over(&mut self) {
        self.world.take_over();
    }

    /// Tells the webhooks of the site file about a rehearsal too.
    pub fn tell_about_rehearsal(&mut self) {
        self.tells_rehearsal = true;
    }

    /// Says once who could not be told about the runs so far.
    pub fn say_untold(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        self.tell(&untold);
    }

    /// Leaves out asking the sources of the plan: what cannot be fetched fails later, where it is needed.
    pub fn skip_source_check(&mut self) {
        self.skips_source_check = true;
    }

    /// Faults of a rehearsal that did not happen so far.
    #[must_use]
    pub fn unspent(&self) -> Vec<String> {
        self.world.simulated().map(|simulated| simulated.unspent()).unwrap_or_default()
    }

    /// Lets work go on only while the lock is ours: a process that was stopped for too long wakes in the middle of it.
    pub(crate) async fn fenced<F: Future>(&self, work: F) -> Result<F::Output, Problem> {
        let fence = self.lock.as_ref().map(|lock| locked(lock).journal.fence()).unwrap_or_default();
        let (mut work, mut lost) = (pin!(work), pin!(fence.lost()));
        poll_fn(|cx| {
            if (lost.as_mut().poll(cx).is_ready() || !fence.is_sure())
                && let Err(problem) = self.still_ours()
            {
                return Poll::Ready(Err(problem));
            }
            work.as_mut().poll(cx).map(Ok)
        })
        .await
    }

    fn still_ours(&self) -> Result<(), Problem> {
        self.lock.as_ref().map_or(Ok(()), |lock| locked(lock).still_ours())
    }

    /// Tells a sentence.
    pub(crate) fn say(&self, text: &str) {
        self.audience.text(text);
    }

    /// What knows the site's secrets; none before a simulation runs.
    pub(crate) fn secrets(&self) -> Option<std::sync::Arc<dyn plinth_world::secrets::Secrets>> {
        self.world.secrets()
    }

    /// Clients, secrets and clock; the clients are made when this is first called.
    pub(crate) fn env(&self) -> Result<StepEnv, Problem> {
        self.world.env(&self.desired)
    }
}

fn locked(lock: &Mutex<SiteLock>) -> MutexGuard<'_, SiteLock> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
