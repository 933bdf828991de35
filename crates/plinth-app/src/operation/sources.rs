//! Asking the sources of a plan, before anything is changed.

use super::{Depth, Discovered, Observation, Operation};
use crate::failure::Failure;
use crate::goal::Goal;
use crate::state;
use plinth_model::facts::NodeFacts;
use plinth_model::finding::code;
use plinth_model::{Finding, NodeName, Plan, Problem, Step};
use plinth_plan::sources::sources;
use plinth_plan::{Observed, StepObservation};
use std::collections::{BTreeMap, BTreeSet};

impl Operation<'_> {
    /// Tells and answers what is wrong with the sources of the site's plan, all at once. What the journal knows as done is not
    /// fetched again.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn check_sources(
        &self,
        discovered: &Discovered,
        facts: &BTreeMap<NodeName, NodeFacts>,
    ) -> Result<Vec<Finding>, Failure> {
        if self.skips_source_check {
            return Ok(Vec::new());
        }
        let mut observed = Observed { facts: facts.clone(), ..Observed::new(discovered.inventory.clone()) };
        let Ok(plan) = self.draft(&mut observed) else {
            self.say("sources were not asked, since the site cannot be planned: `plinth plan` says why");
            return Ok(Vec::new());
        };
        let done = state::done_before(&self.directory, &plan, self.world.is_rehearsal())?;
        let findings = self.ask_sources(&plan, |step| !done.contains_key(&step.id), facts).await?;
        self.tell(&findings);
        Ok(findings)
    }

    /// Ends the operation when a source does not answer that the run will need; what is only doubtful is told.
    pub(super) async fn demand_sources(&self, seen: &mut Observation, depth: Depth) -> Result<(), Failure> {
        if self.skips_source_check || !matches!(self.goal, Goal::Site) {
            return Ok(());
        }
        let steps = &seen.observed.steps;
        let is_pending = |step: &Step| steps.get(&step.id).is_some_and(|seen| !matches!(seen, StepObservation::Done));
        let findings = self.ask_sources(&seen.draft, is_pending, &seen.observed.facts).await?;
        if findings.is_empty() {
            return Ok(());
        }
        self.tell(&findings);
        let missing: BTreeSet<&str> = findings.iter().filter(|f| f.is_error()).map(|f| f.subject.as_str()).collect();
        if missing.is_empty() || depth < Depth::Steps {
            seen.checks.extend(findings);
            return Ok(());
        }
        let names = missing.into_iter().collect::<Vec<_>>().join(", ");
        let problem = Problem::while_doing("asking the sources of the plan of")
            .to(&self.desired.name)
            .unreachable(format!("nothing can be fetched from {names}; nothing was changed"))
            .try_this(format!(
                "do what is listed above; `plinth explain {}` tells more, and `--skip-source-check` goes on all the same",
                code::SOURCE_UNREACHABLE.as_str()
            ));
        Err(problem.into())
    }

    async fn ask_sources(
        &self,
        plan: &Plan,
        is_pending: impl Fn(&Step) -> bool,
        facts: &BTreeMap<NodeName, NodeFacts>,
    ) -> Result<Vec<Finding>, Failure> {
        let asked = sources(&self.desired, plan, is_pending);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let (env, index) = (self.env()?, self.world.package_index());
        let work = plinth_run::sources::ask(&asked, facts, &index, &env);
        let findings = self.named(self.world.drive(work, false), || "the sources of the plan".to_owned()).await;
        tracing::info!(sources = asked.len(), findings = findings.len(), "asked the sources");
        Ok(findings)
    }
}
