//! One run of a plan, from taking the lock to the last event: the same for `apply` and `rehearse`.

use plinth_model::{Exit, NodeName, Plan, Problem, SiteName, Step, StepId};
use plinth_plan::Seen;
use plinth_run::executor::Sink;
use plinth_run::{
    CrashAfter, Durability, Journal, LockOwner, LockedJournal, RunOptions, RunReport, RunWorld, StopSignal,
};
use plinth_site::Desired;
use plinth_world::SystemClock;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// The site's journal with its lock taken: whoever holds this may change the site, and its simulated world.
pub struct Held {
    journal: LockedJournal,
    owner: LockOwner,
}

impl Held {
    /// Opens the journal and takes the lock for a new run.
    ///
    /// # Errors
    /// Exit 5 when somebody else holds it; otherwise when the journal cannot be used, or is another site's.
    pub fn take(directory: &Path, site: &SiteName, durability: Durability) -> Result<Self, Problem> {
        let owner = LockOwner::current();
        let run = uuid::Uuid::now_v7().to_string();
        let clock: Arc<dyn plinth_world::Clock> = Arc::new(SystemClock::new());
        let journal = Journal::open_with(directory, durability)?.lock(&owner, &run, &clock)?;
        same_site(directory, site, journal.memory().run.as_ref().map(|run| &run.head.site))?;
        Ok(Self { journal, owner })
    }
}

/// Refuses the journal of another site: two sites in one state directory would mix.
pub(crate) fn same_site(directory: &Path, site: &SiteName, known: Option<&SiteName>) -> Result<(), Problem> {
    match known {
        Some(known) if known != site => Err(Problem::new(
            Exit::Input,
            "opening the state directory",
            directory.display().to_string(),
            format!("it belongs to site `{known}`, and this is site `{site}`; nothing was changed"),
            "give another folder with `--state DIR`",
        )),
        _ => Ok(()),
    }
}

/// What to run, where, and how.
pub struct Session<'a> {
    /// Plan.
    pub plan: &'a Plan,
    /// Limits come from here.
    pub desired: &'a Desired,
    /// Control-plane nodes, for the rule about majorities.
    pub control_plane: Vec<NodeName>,
    /// Journal and lock; given back when the run ends.
    pub held: Held,
    /// Clients, secrets, clock, behaviours.
    pub world: RunWorld,
    /// Where events go.
    pub sink: Sink,
    /// How the run is stopped.
    pub stop: StopSignal,
    /// Nothing real is touched.
    pub rehearsal: bool,
    /// The state directory stays, so that another run can continue.
    pub kept: bool,
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
    /// When the journal cannot be written, or the lock was lost.
    pub async fn run(self) -> Result<RunReport, Problem> {
        let Self { plan, desired, control_plane, held, world, sink, stop, rehearsal, kept, crash } = self;
        let Held { mut journal, owner } = held;
        let options = RunOptions {
            rehearsal,
            kept,
            parallel: desired.run.parallel,
            node_failures: desired.run.node_failures,
            control_plane,
            took_over: journal.took_over().map(str::to_owned),
            ..RunOptions::new(journal.run(), owner.to_string())
        };
        let report = match crash {
            None => plinth_run::run(plan, world, &mut journal, sink, stop, options).await,
            Some(Crash { records, how }) => {
                let mut crashing = CrashAfter::new(&mut journal, records).calling(how);
                plinth_run::run(plan, world, &mut crashing, sink, stop, options).await
            }
        };
        // Gives the lock back. If that fails it runs out by itself, which must not hide how the run ended.
        drop(journal);
        report
    }
}

/// Steps whose last record says that they are done as wanted now, for a plan that looks at nothing else. One that was done
/// so once, but failed or was done otherwise since, is not among them.
pub(crate) fn journalled(directory: &Path, plan: &Plan) -> Result<BTreeMap<StepId, Seen>, Problem> {
    let Some(reader) = Journal::open_read_only(directory)? else { return Ok(BTreeMap::new()) };
    let memory = reader.memory()?;
    let is_done = |step: &Step| memory.steps.get(&step.id).is_some_and(|known| known.is_done_with(&step.digest()));
    Ok(plan.steps.iter().filter(|step| is_done(step)).map(|step| (step.id.clone(), Seen::Done)).collect())
}

/// Stops the run at Ctrl-C, at SIGTERM (service supervisors, CI) and at SIGHUP (a lost terminal): the first time it finishes
/// what is in flight, the second time it ends now. One listener per signal hears them all; a new one each time would miss what
/// comes between two.
pub(crate) async fn watch_signals(stop: StopSignal) {
    let listen = |kind| signal(kind).ok();
    let (interrupt, terminate, hang_up) =
        (listen(SignalKind::interrupt()), listen(SignalKind::terminate()), listen(SignalKind::hangup()));
    let (Some(mut interrupt), Some(mut terminate), Some(mut hang_up)) = (interrupt, terminate, hang_up) else { return };
    loop {
        tokio::select! {
            Some(()) = interrupt.recv() => stop.raise(),
            Some(()) = terminate.recv() => stop.raise(),
            Some(()) = hang_up.recv() => stop.raise(),
            else => return,
        }
    }
}
