//! `rehearse --json` and `apply --json`: how a run ended.

use plinth_model::{Plan, SiteName};
use plinth_run::RunReport;
use serde::Serialize;

/// How a run ended.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    schema: u32,
    site: &'a SiteName,
    plan: &'a plinth_model::Digest,
    outcome: plinth_model::Outcome,
    exit: u8,
    counts: plinth_model::run::Counts,
    seconds: f64,
    failures: Vec<Failure<'a>>,
}

#[derive(Serialize)]
struct Failure<'a> {
    step: &'a plinth_model::StepId,
    finding: &'a plinth_model::Finding,
}

impl<'a> Report<'a> {
    pub(crate) fn of(plan: &'a Plan, report: &'a RunReport) -> Self {
        Self {
            schema: crate::input::SCHEMA,
            site: &plan.site,
            plan: &plan.hash,
            outcome: report.outcome,
            exit: report.exit.code(),
            counts: report.counts,
            seconds: report.duration.as_secs_f64(),
            failures: report.failures.iter().map(|(step, finding)| Failure { step, finding }).collect(),
        }
    }
}
