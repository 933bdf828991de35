//! What verbs ask of the engine beside running plans: which hosts a destructive plan touches, and what a mirror must hold.

use crate::failure::Failure;
use crate::failure::{bug, client_problem};
use crate::operation::{Always, Operation, Planned};
use plinth_model::Problem;
use plinth_plan::engines::{self, MirrorList};
use plinth_run::engines::Preview;
use plinth_run::{RunReport, StopSignal};
use plinth_site::desired::Engine;
use std::sync::Arc;

impl Operation<'_> {
    /// The hosts that a removal or a recovery would touch; none when the plan has neither. The engine's tools are made ready for that by
    /// a plan of their own, which touches nothing outside the state directory.
    ///
    /// # Errors
    /// When the tools cannot be made ready, or the engine cannot read its files.
    pub async fn preview(&mut self, planned: &Planned) -> Result<Option<Preview>, Failure> {
        if engines::tools(&planned.plan).steps.iter().any(|tool| tool.change.pending()) {
            self.say("the engine's own list of what it would do is not shown: its programs are not here yet");
            return Ok(None);
        }
        let env = self.env()?;
        let preview = plinth_run::engines::preview(&planned.plan, &env).await;
        Ok(preview.map_err(|error| client_problem(&error))?)
    }

    /// What a mirror must hold so that the site's Kubernetes and platform can be installed from it. The engine itself is asked, unless a
    /// list is kept that was made for the same files; of the platform the catalog knows what it knows. Of a cluster that is there already it is
    /// for the platform alone.
    ///
    /// # Errors
    /// When the plan's engine has no list, the tools cannot be made ready, or the engine's answer is not understood.
    pub async fn mirror_list(&mut self, planned: &Planned) -> Result<MirrorList, Failure> {
        self.make_tools(planned).await?;
        let env = self.env()?;
        let list = plinth_run::engines::downloads(&planned.plan, &env).await.map_err(|error| client_problem(&error))?;
        let list = match list {
            Some(list) => MirrorList::of_plan(self.desired(), &planned.plan, list),
            None if self.desired().kubernetes.engine == Engine::Existing => {
                Some(MirrorList::of_platform(&planned.plan))
            }
            None => None,
        };
        let catalog = &self.input().catalog;
        let facts = plinth_plan::facts::facts(self.desired(), &planned.cluster);
        let resolution = catalog.resolve(self.desired(), &facts);
        let charts = plinth_plan::charts::listed(self.desired(), &planned.cluster, catalog);
        let list = list.ok_or_else(no_engine)?.with_platform(&resolution);
        Ok(list.with_charts(charts, catalog.helm_pin().clone()))
    }

    /// Runs the steps of a plan that make the engine's tools.
    async fn make_tools(&mut self, planned: &Planned) -> Result<(), Failure> {
        let tools = self.planned(engines::tools(&planned.plan), &planned.cluster, "render mirror-list");
        if tools.plan.steps.is_empty() {
            return Ok(());
        }
        let approved = self.approve(tools, &Always).await?;
        let mut approved = approved.ok_or_else(|| bug("making the engine's tools", "nobody approved it"))?;
        let report = self.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await?;
        failed(&report).map_or(Ok(()), |problem| Err(problem.into()))
    }
}

/// The first failure of a run as a problem.
fn failed(report: &RunReport) -> Option<Problem> {
    let (step, finding) = report.failures.first()?;
    Some(Problem::while_doing("making ready").to(step).unreachable(&finding.message).try_this(finding.fix.clone()))
}

fn no_engine() -> Problem {
    Problem::while_doing("listing downloads")
        .wrong_input("the plan installs Kubernetes with an engine whose downloads are not known here")
        .try_this("ask the engine's own documentation what its mirror must hold")
}
