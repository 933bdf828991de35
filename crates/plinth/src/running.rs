//! A run on the terminal: events to every sink, signals, the report.

use crate::again::command;
use crate::args::{Common, Progress};
use crate::prediction;
use crate::printer::Printer;
use crate::recorded::Recorded;
use crate::report::Report;
use crate::sinks::Sinks;
use plinth_app::{Approved, Operation};
use plinth_model::{Exit, Problem, SiteName};
use plinth_run::{RunReport, StopSignal};
use std::path::Path;

/// Runs the plan, and with `--json` prints how that ended. `page`: the link of the page beside it.
pub(crate) async fn run(
    operation: &mut Operation<'_>,
    mut approved: Approved,
    (common, events, page): (&Common, Option<&Path>, Option<&str>),
    printer: &Printer,
) -> Result<Exit, Problem> {
    let report = watched(operation, &mut approved, (events, page), printer).await?;
    if printer.progress() == Progress::None {
        tell_failures(&report, printer);
    }
    if operation.simulation().is_none() {
        tell_deviations(common, &approved.planned().plan.site, printer);
    }
    if report.exit != Exit::Done {
        printer.name_log();
    }
    // A rehearsal without a folder of its own leaves nothing behind.
    if operation.simulation().is_none() || common.state.is_some() {
        tell_where(common, &report, printer);
    }
    if common.json {
        printer.json(&Report::of(&approved.planned().plan, &report));
    }
    Ok(report.exit)
}

/// Where the run left its rehearsal, if the site was rehearsed. That this cannot be told is no matter of the run.
fn tell_deviations(common: &Common, site: &SiteName, printer: &Printer) {
    let Some(kept) = prediction::kept(site) else { return };
    let compared = Recorded::open(common).and_then(|recorded| {
        let mut last = recorded.choose("last")?;
        last.analysis.lay_over(Some(&kept), &last.view);
        Ok(last.analysis.rehearsal)
    });
    if let Ok(Some(diff)) = compared {
        printer.talk(&plinth_report::runs::rehearsal_headline(&diff));
    }
}

/// Where the run is to be had: as a page, if there is something to hand over, and as its story, if something is left.
fn tell_where(common: &Common, report: &RunReport, printer: &Printer) {
    if report.exit != Exit::Done || report.counts.changed > 0 {
        let command = command(common, &format!("report {}", report.run));
        printer.talk(&format!("as one page: `{command} --out run.html`"));
    }
    if report.exit != Exit::Done {
        printer.talk(&format!("the whole story: `{}`", command(common, "why")));
    }
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

/// Runs the plan where people see it. `sinks`: the file for its events, and the link of the page beside it.
pub(crate) async fn watched(
    operation: &mut Operation<'_>,
    approved: &mut Approved,
    sinks: (Option<&Path>, Option<&str>),
    printer: &Printer,
) -> Result<RunReport, Problem> {
    let sinks = Sinks::open(printer, (&approved.planned().plan, operation.directory()), sinks)?;
    let stop = StopSignal::new();
    printer.runs();
    operation.traced_by(std::env::var("TRACEPARENT").ok());
    let taken = printer.signals().during(&stop);
    let predicts = operation.predicts();
    let rehearsed = predicts.then(prediction::Watched::default);
    let sink = match &rehearsed {
        Some(rehearsed) => rehearsed.before(sinks.sink()),
        None => sinks.sink(),
    };
    let result = operation.run(approved, sink, stop.clone()).await;
    drop(taken);
    sinks.close();
    operation.say_untold();
    if let Some(rehearsed) = rehearsed.filter(|_| result.is_ok()) {
        rehearsed.keep(&approved.planned().plan.site);
    }
    result
}
