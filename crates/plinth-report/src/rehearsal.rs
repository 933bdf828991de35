//! What a rehearsal says before anything else.

use plinth_model::{Finding, Plan, Severity, amount};
use std::collections::BTreeSet;

/// What is real in a rehearsal and what is not.
#[derive(Clone, Copy, Debug)]
pub struct Introduction<'a> {
    /// What is rehearsed.
    pub plan: &'a Plan,
    /// The site file.
    pub file: &'a str,
    /// Secrets of the site, none of which is read.
    pub secrets: usize,
    /// Addresses are made up too, not only hardware.
    pub made_up: bool,
}

impl Introduction<'_> {
    /// A few lines.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { plan, file, secrets, made_up } = self;
        let hosts = plan.steps.iter().filter_map(|step| step.work.node()).collect::<BTreeSet<_>>().len();
        let addresses = if *made_up { "Addresses, hardware" } else { "Hardware" };
        format!(
            "rehearsal of site {} ({file}): {}, {}, {} may change something\n  \
             Nothing real is contacted. {addresses} and the site's secrets ({secrets}) are made up; time is virtual.\n  \
             BCM is a simulated CMDaemon asked over real TLS; nodes, Kubespray, Kubernetes, Helm and Run:ai are simulated.\n{}",
            plan.site,
            amount(hosts, "node"),
            amount(plan.steps.len(), "step"),
            plan.pending(),
            doubts(&plan.findings),
        )
    }
}

/// The plan's findings in a line: a rehearsal is not where they are fixed.
fn doubts(findings: &[Finding]) -> String {
    let warnings: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Info)
        .map(|finding| finding.code.as_str())
        .collect();
    let notes = findings.len() - warnings.len();
    if findings.is_empty() {
        return "  The plan raises no doubts.".to_owned();
    }
    let named = if warnings.is_empty() { String::new() } else { format!(" ({})", warnings.join(", ")) };
    let (warnings, notes) = (amount(warnings.len(), "warning"), amount(notes, "note"));
    format!("  The plan raises {warnings}{named} and {notes}; `plinth validate` shows them in full.")
}
