//! A run on the terminal: events to every sink, signals, the report.

use crate::args::{Common, Verbosity};
use crate::printer::Printer;
use crate::sinks::Sinks;
use plinth_app::{Approved, Operation};
use plinth_model::{Exit, Problem};
use plinth_run::{RunReport, StopSignal};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the plan, and with `--json` prints how that ended.
pub(crate) async fn run(
    operation: &mut Operation<'_>,
    mut approved: Approved,
    (common, events): (&Common, Option<&Path>),
    printer: &Printer,
) -> Result<Exit, Problem> {
    let report = watched(operation, &mut approved, events, printer).await?;
    if printer.verbosity() == Verbosity::Quiet {
        tell_failures(&report, printer);
    }
    if report.exit != Exit::Done {
        printer.name_log();
    }
    if common.json {
        printer.json(&crate::explain::report(&approved.planned().plan, &report));
    }
    Ok(report.exit)
}

/// What failed, where no event was shown.
fn tell_failures(report: &RunReport, printer: &Printer) {
    for (step, finding) in &report.failures {
        printer.problem(
            &Problem::while_doing("running")
                .to(step)
                .because(report.exit, &finding.message)
                .try_this(finding.fix.clone()),
        );
    }
}

/// Runs the plan where people see it.
pub(crate) async fn watched(
    operation: &mut Operation<'_>,
    approved: &mut Approved,
    events: Option<&Path>,
    printer: &Printer,
) -> Result<RunReport, Problem> {
    let sinks = Sinks::open(printer, &approved.planned().plan, events)?;
    let stop = StopSignal::new();
    let signals = tokio::spawn(watch_signals(stop.clone()));
    let result = operation.run(approved, sinks.sink(), stop).await;
    signals.abort();
    let closed = sinks.close();
    let report = result?;
    closed?;
    Ok(report)
}

/// Stops the run at Ctrl-C, at SIGTERM (service supervisors, CI) and at SIGHUP (a lost terminal): the first time it finishes
/// what is in flight, the second time it ends now. One listener per signal hears them all; a new one each time would miss what
/// comes between two.
async fn watch_signals(stop: StopSignal) {
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
