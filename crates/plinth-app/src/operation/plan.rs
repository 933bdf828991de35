//! Planning: the draft with what was seen of its steps, and small plans of parts of it.

use super::{Observation, Operation};
use crate::failure::Failure;
use crate::state;
use crate::world::lacks;
use plinth_model::{Finding, Plan};
use plinth_plan::{Cluster, Observed};
use plinth_run::Done;

/// A plan, and the cluster that it is about.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What would be done.
    pub plan: Plan,
    /// On which cluster.
    pub cluster: Cluster,
    /// What checking the nodes told; empty when they were not checked.
    pub checks: Vec<Finding>,
    /// Steps that a look just found in the desired state.
    pub(crate) done: Done,
}

impl Operation<'_> {
    /// The plan, with what was seen of its steps; where no step was looked at, what the journal says.
    ///
    /// # Errors
    /// When what was seen does not fit the plan, or the journal cannot be read.
    pub fn plan(&self, seen: Observation) -> Result<Planned, Failure> {
        let Observation { cluster, checks, mut observed, draft, done, .. } = seen;
        if done.is_none() {
            observed.steps = state::done_before(&self.directory, &draft, self.world.is_rehearsal())?;
        }
        let mut plan =
            plinth_plan::looked(draft, &observed).map_err(|findings| self.input.rejected_after_contact(findings))?;
        if !self.world.is_rehearsal() {
            plinth_plan::left_out::mark(&mut plan, lacks);
        }
        Ok(Planned { plan, cluster, checks, done: done.unwrap_or_default() })
    }

    /// A small plan of this operation's own, such as one that pins host keys, on the cluster that was discovered.
    #[must_use]
    pub fn planned(&self, plan: Plan, cluster: &Cluster) -> Planned {
        Planned { plan, cluster: cluster.clone(), checks: Vec::new(), done: Done::new() }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::audience::Nobody;
    use crate::world::{HELM, lacks};
    use crate::{Access, Depth, Goal, Input, Operation, Script, Setup, World};
    use plinth_model::Work;
    use plinth_run::Behaviour as _;
    use plinth_run::steps::Kinds;
    use plinth_world::Cause;
    use std::path::Path;
    use std::sync::Arc;

    /// Acceptance checks are not asked here: `plinth_kube::can_check` is what its client decides by.
    #[tokio::test]
    async fn what_is_said_to_be_lacking_is_refused_and_nothing_else_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basepod.yaml");
        let (input, state) = (Input::load(&site).unwrap(), folder.path().join("state"));
        let (access, goal, audience) = (Access::Change, Goal::Site, &Nobody);
        let setup = Setup { input, state: Some(&state), recorded: None, access, goal, audience };
        let mut operation = Operation::open(setup, World::Simulated(Script::default())).unwrap();
        let seen = operation.observe(Depth::Inventory).await.unwrap();
        let planned = operation.plan(seen).unwrap();
        let mut env = operation.env().unwrap();
        env.clients.helm = Arc::new(HELM);
        let is_check = |work: &Work| matches!(work, Work::AcceptanceCheck(_));
        for step in planned.plan.steps.iter().filter(|step| !is_check(&step.work)) {
            let probed = operation.world.drive(Kinds.probe(step, &env), false).await;
            let refused = probed.is_err_and(|error| error.cause == Cause::NotInThisRelease);
            assert_eq!(refused, lacks(&step.work).is_some(), "{}", step.id);
        }
    }
}
