//! A plan that is made after a visit to the nodes, with what was seen of every step.

use crate::args::Common;
use crate::input::Input;
use crate::printer::Printer;
use crate::real::{Real, known};
use crate::verbs;
use plinth_model::inventory::Inventory;
use plinth_model::{Exit, Finding, Plan, Problem};
use plinth_plan::{Cluster, Observed};
use plinth_run::LookOptions;
use std::collections::BTreeSet;
use std::path::Path;

/// What a visit takes.
pub(super) struct Visit<'a> {
    /// Options of every verb.
    pub(super) common: &'a Common,
    /// The site and the catalog.
    pub(super) input: &'a Input,
    /// State directory.
    pub(super) directory: &'a Path,
    /// Screen.
    pub(super) printer: &'a Printer,
    /// Clients.
    pub(super) real: &'a Real,
}

impl Visit<'_> {
    /// Stage 0 on the members of this cluster, then the plan.
    pub(super) async fn plan(
        &self,
        inventory: Inventory,
        cluster: &Cluster,
        make: &dyn Fn(&Observed) -> Result<Plan, Problem>,
    ) -> Result<Plan, Problem> {
        let mut observed = Observed { facts: known::read(self.directory)?, ..Observed::new(inventory) };
        make(&observed)?;
        let survey = self.real.survey(&self.input.site.desired, cluster).await?;
        observed.facts.extend(survey.facts);
        known::write(self.directory, &observed.facts)?;
        self.judge(&survey.findings, cluster)?;
        let draft = make(&observed)?;
        let look = plinth_run::look(&draft, &self.real.world(), &LookOptions::default()).await?;
        self.input.show(self.common, self.printer, &look.findings);
        (observed.steps, observed.answers) = (look.seen, look.answers);
        let mut plan = make(&observed)?;
        if self.common.json {
            // People have just read them, folded.
            plan.findings.extend(survey.findings);
        }
        Ok(plan)
    }

    /// Stops before anything is changed when more nodes are unfit than may fail, or something is wrong with all of them. A node
    /// within that budget stops at its own steps, and the others go on.
    fn judge(&self, findings: &[Finding], cluster: &Cluster) -> Result<(), Problem> {
        verbs::preflight::show(self.printer, findings);
        let desired = &self.input.site.desired;
        let unfit: BTreeSet<&str> = findings.iter().filter(|f| f.is_error()).map(|f| f.subject.as_str()).collect();
        if unfit.is_empty() {
            return Ok(());
        }
        let is_node = |name: &&str| cluster.members.iter().any(|member| member.name.as_str() == *name);
        if unfit.len() <= desired.run.node_failures && unfit.iter().all(is_node) {
            let names = unfit.into_iter().collect::<Vec<_>>().join(", ");
            self.printer.talk(&format!("going on without {names}: run.nodeFailures is {}", desired.run.node_failures));
            return Ok(());
        }
        let unfit = unfit.into_iter().collect::<Vec<_>>().join(", ");
        Err(Problem::new(
            Exit::CheckFailed,
            "checking the nodes of",
            desired.name.to_string(),
            format!("not fit: {unfit}; run.nodeFailures is {}; nothing was changed", desired.run.node_failures),
            "fix what is listed above (`plinth preflight --fix` fixes what is safe), or take the node out of the site file",
        ))
    }
}
