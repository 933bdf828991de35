//! The executor: does exactly the plan.
//!
//! One future, no threads, no timers but the clock's. What needs nothing else runs beside it, within a global limit, one
//! step per node at a time. Each turn of the loop takes in everything that ended, decides, makes all events of the turn
//! durable in one transaction, and only then begins the effects they announce.

mod announcer;
mod ending;
mod flight;
mod graph;
mod life;
mod options;
mod queue;
mod settle;
mod stop;
mod turn;

pub use announcer::Sink;
pub use options::{RunOptions, RunReport, RunWorld};
pub use stop::{StopLevel, StopSignal};

pub(crate) use flight::within;
pub(crate) use graph::Graph;
pub(crate) use queue::Queue;

use crate::journal::Store;
use plinth_model::{Plan, Problem};
use tracing::Instrument as _;
use turn::Run;

/// Runs a plan to its end, or as far as it goes. Steps that are already so are only looked at, so running again continues.
/// The site's lock is renewed here.
///
/// # Errors
/// When the plan does not hold together (nothing has begun then) or the journal cannot be written. In the second case what
/// was in flight is dropped, no further effect begins, and everything recorded before is intact. Failed steps are not an
/// error: they are in the report.
pub async fn run(
    plan: &Plan,
    world: RunWorld,
    journal: &mut dyn Store,
    sink: Sink,
    stop: StopSignal,
    options: RunOptions,
) -> Result<RunReport, Problem> {
    let graph = Graph::of(plan)?;
    let mut run = Run::new(plan, graph, &world, journal, sink, stop, &options);
    let span = tracing::info_span!("run", id = options.run);
    match run.execute().instrument(span).await {
        Ok(report) => Ok(report),
        Err(error) => Err(run.broken_off(error)),
    }
}
