//! Carries a plan out on the real site: events to every sink, signals, the report.

use crate::args::Common;
use crate::printer::Printer;
use crate::real::Real;
use crate::session::{self, Held, Session};
use crate::sinks::Sinks;
use plinth_model::{Exit, NodeName, Plan, Problem};
use plinth_plan::Cluster;
use plinth_run::StopSignal;
use plinth_site::Desired;
use std::path::Path;

/// What it takes.
pub(crate) struct Carry<'a> {
    /// Options of every verb.
    pub(crate) common: &'a Common,
    /// File for events.
    pub(crate) events: Option<&'a Path>,
    /// The site.
    pub(crate) desired: &'a Desired,
    /// Screen.
    pub(crate) printer: &'a Printer,
    /// Clients.
    pub(crate) real: &'a Real,
}

impl Carry<'_> {
    /// Runs the plan to its end, or as far as it goes.
    pub(crate) async fn out(self, plan: &Plan, cluster: &Cluster, held: Held) -> Result<Exit, Problem> {
        let sinks = Sinks::open(self.printer, plan, self.events)?;
        let stop = StopSignal::new();
        let signals = tokio::spawn(session::watch_signals(stop.clone()));
        let control_plane: Vec<NodeName> = cluster.control_plane().map(|member| member.name.clone()).collect();
        let session = Session {
            plan,
            desired: self.desired,
            control_plane,
            held,
            world: self.real.world(),
            sink: sinks.sink(),
            stop,
            rehearsal: false,
            kept: true,
            crash: None,
        };
        let result = session.run().await;
        signals.abort();
        let closed = sinks.close();
        let report = result?;
        closed?;
        if self.common.json {
            self.printer.json(&crate::explain::report(plan, &report));
        }
        Ok(report.exit)
    }
}
