//! Planning: the draft with what was seen of its steps, and small plans of parts of it.

use super::{Observation, Operation};
use crate::failure::Failure;
use crate::state;
use plinth_model::{Finding, Plan};
use plinth_plan::{Cluster, Observed};
use plinth_run::Done;

/// A plan, and the cluster that it is about.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What would be done.
    pub plan: Plan,
    /// The nodes that the plan is about, with checked addresses and roles.
    pub cluster: Cluster,
    /// What checking the nodes told; empty when they were not checked.
    pub checks: Vec<Finding>,
    /// The command, of a plan that does one small thing and says nothing about how far the site is.
    pub(crate) small: Option<String>,
    /// Steps that a look just found in the desired state.
    pub(crate) done: Done,
}

impl Operation<'_> {
    /// The plan, with what was seen of its steps; where no step was looked at, what the journal says.
    ///
    /// # Errors
    /// When what was seen does not fit the plan, a chart refuses its values, or the journal cannot be read.
    pub fn plan(&self, seen: Observation) -> Result<Planned, Failure> {
        let Observation { cluster, checks, mut observed, draft, manifests, done, .. } = seen;
        if manifests.iter().any(Finding::is_error) {
            return Err(self.input.rejected_after_contact(manifests));
        }
        if done.is_none() {
            observed.steps = state::done_before(&self.directory, &draft, self.world.is_rehearsal())?;
        }
        let mut plan =
            plinth_plan::looked(draft, &observed).map_err(|findings| self.input.rejected_after_contact(findings))?;
        plan.findings.extend(self.input.place(manifests));
        plan.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(Planned { plan, cluster, checks, small: None, done: done.unwrap_or_default() })
    }

    /// A small plan of this operation's own, such as one that pins host keys, on the cluster that was discovered. `small` is the command
    /// that people know it by.
    #[must_use]
    pub fn planned(&self, plan: Plan, cluster: &Cluster, small: impl Into<String>) -> Planned {
        Planned { plan, cluster: cluster.clone(), checks: Vec::new(), small: Some(small.into()), done: Done::new() }
    }

    /// A plan without what was seen of its steps; findings of the site file are in it.
    pub(crate) fn make(&self, observed: &Observed) -> Result<Plan, Failure> {
        match self.goal.plan(&self.desired, observed, &self.input.catalog) {
            Ok(mut plan) => {
                plan.findings.extend(self.input.site.findings.iter().cloned());
                plan.findings = self.input.place(plan.findings);
                Ok(plan)
            }
            Err(findings) => Err(self.input.rejected_after_contact(findings)),
        }
    }
}
