//! One run of a plan, from taking the lock to the last event: the same for `apply` and `rehearse`.

use plinth_model::{NodeName, Plan, Problem, StepId};
use plinth_plan::Seen;
use plinth_run::executor::Sink;
use plinth_run::{CrashAfter, Journal, LockOwner, Recorder, RunOptions, RunReport, RunWorld, StopSignal};
use plinth_site::Desired;
use plinth_world::SystemClock;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What to run, where, and how.
pub struct Session<'a> {
    /// Plan.
    pub plan: &'a Plan,
    /// Limits come from here.
    pub desired: &'a Desired,
    /// Control-plane nodes, for the rule about majorities.
    pub control_plane: Vec<NodeName>,
    /// The site's state directory.
    pub directory: &'a Path,
    /// Doors, secrets, clock, behaviours.
    pub world: RunWorld,
    /// Where events go.
    pub sink: Sink,
    /// How the run is stopped.
    pub stop: StopSignal,
    /// Nothing real is touched.
    pub rehearsal: bool,
    /// Breaks the run off right after a record: `rehearse --fault crash@record:N`.
    pub crash: Option<Crash>,
}

/// A crash on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    /// Records that become durable before it.
    pub records: usize,
    /// What happens then. If it returns, the run is broken off with no further effect.
    pub how: fn(),
}

impl Session<'_> {
    /// Runs to the end, or as far as it goes.
    ///
    /// # Errors
    /// When the lock is held by somebody else, or the journal cannot be used.
    pub async fn run(self) -> Result<RunReport, Problem> {
        let owner = LockOwner::current();
        let run = uuid::Uuid::now_v7().to_string();
        let mut journal = Journal::open(self.directory)?;
        let clock: Arc<dyn plinth_world::Clock> = Arc::new(SystemClock::new());
        let took_over = journal.acquire(&owner, &run, &clock)?;
        let options = RunOptions {
            rehearsal: self.rehearsal,
            parallel: self.desired.run.parallel,
            node_failures: self.desired.run.node_failures,
            control_plane: self.control_plane.clone(),
            took_over,
            ..RunOptions::new(run, owner.to_string())
        };
        let report = match self.crash {
            None => self.carry_out(&mut journal, options).await,
            Some(Crash { records, how }) => {
                let mut crashing = CrashAfter::new(&mut journal, records).calling(how);
                self.carry_out(&mut crashing, options).await
            }
        };
        journal.release()?;
        report
    }

    async fn carry_out(self, journal: &mut dyn Recorder, options: RunOptions) -> Result<RunReport, Problem> {
        plinth_run::run(self.plan, self.world, journal, self.sink, self.stop, options).await
    }
}

/// Steps that the journal knows as done with the same parameters, for a plan that looks at nothing else.
pub(crate) fn journalled(directory: &Path, plan: &Plan) -> Result<BTreeMap<StepId, Seen>, Problem> {
    let Some(reader) = Journal::open_read_only(directory)? else { return Ok(BTreeMap::new()) };
    let history = reader.history();
    let done = plan.steps.iter().filter(|step| history.ever_done(&step.id, &step.digest()));
    Ok(done.map(|step| (step.id.clone(), Seen::Done)).collect())
}

/// Stops the run at Ctrl-C: the first time it finishes what is in flight, the second time it ends now.
pub(crate) async fn watch_signals(stop: StopSignal) {
    while tokio::signal::ctrl_c().await.is_ok() {
        stop.raise();
    }
}
