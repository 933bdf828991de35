//! The executor: does exactly the plan.
//!
//! One future, no threads, no timers but the clock's. What needs nothing else runs beside it, within a global limit, one
//! step per lane at a time; of several ready steps the one with the longest remaining path begins first. Each tick of the loop
//! takes in everything that ended, decides, makes all events of the tick durable in one transaction, and only then begins the
//! effects they announce.
//!
//! # Invariants
//!
//! 1. An intent is durable before its effect begins, an outcome before anything that needs it begins. So after a crash every effect that
//!    may have happened is in the journal.
//! 2. A step is done when a look says so, never because an effect returned. An effect whose fate is not known is looked at before
//!    it is repeated.
//! 3. A step begins at most once in a run, after everything it needs was done, unchanged, or skipped by its gate. It ends exactly
//!    once, and its end is told exactly once.
//! 4. Two steps of one lane never run together, and never more steps than the limit.
//! 5. What needs a failed step, at any distance, does not run. Everything else goes on, within the failure budget.
//! 6. A step whose effect must happen only once is not repeated after what it makes was recorded as made, not even by
//!    another run, and however the step was upgraded since, unless its look says why that makes nothing twice.
//! 7. A gate opens with an answer that the plan showed, or the run stops.
//! 8. Nothing here names a kind of step: kinds answer through their properties.
//! 9. Which step begins next depends on the plan and on what ended before, not on chance: the same world gives the same run.
//! 10. When the journal cannot be written, nothing more begins.

mod awaited_end;
mod emitter;
mod finish;
mod graph;
mod handle;
mod held;
mod in_flight;
mod options;
mod queue;
mod step_machine;
mod stop;
mod tick;

pub use emitter::Sink;
pub use options::{RunOptions, RunReport, RunWorld};
pub use stop::{StopLevel, StopSignal};

pub(crate) use graph::Graph;
pub(crate) use in_flight::within;
pub(crate) use queue::Queue;

use crate::journal::Store;
use plinth_model::{Plan, Problem};
use tick::Run;
use tracing::Instrument as _;

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
