//! What verbs ask of the engine beside running plans: which hosts a destructive plan touches, and what a mirror must hold. The only place
//! of this crate that names a kind of step of an engine.

use crate::failure::Failure;
use crate::operation::{Always, Operation, Planned};
use crate::world::{bug, client_problem};
use indexmap::IndexMap;
use plinth_model::download::DownloadList;
use plinth_model::steps::{
    KubesprayInventory, KubesprayRecovery, KubesprayRelease, KubesprayRemoval, KubespraySource, Removal,
};
use plinth_model::{Digest, Exit, Observed, Plan, Problem, Step, Work};
use plinth_run::kinds::downloads;
use plinth_run::{RunReport, StepEnv, StopSignal};
use plinth_world::ansible::{Play, PlayHosts, PlayRun};
use plinth_world::{ClientError, ClientResult};
use std::sync::Arc;

/// What a mirror must hold so that the site's Kubernetes can be installed from it.
pub struct Downloads {
    /// The release that asks for them.
    pub release: KubesprayRelease,
    /// Files and images, as the release names them for this site.
    pub list: DownloadList,
}

impl Operation<'_> {
    /// The hosts that the plays of a removal or a recovery would touch; empty when the plan has none. The engine's tools are made ready
    /// for that, by a plan of their own, which touches nothing outside the state directory.
    ///
    /// # Errors
    /// When the tools cannot be made ready, or the plays cannot be listed.
    pub async fn preview(&mut self, planned: &Planned) -> Result<Vec<PlayHosts>, Failure> {
        let Some(play) = planned.plan.steps.iter().find_map(play) else { return Ok(Vec::new()) };
        self.make_tools(planned).await?;
        let env = self.env()?;
        let hosts = env.clients.ansible.preview(&env.ctx, &play).await;
        Ok(hosts.map_err(|error| client_problem(&error))?)
    }

    /// What a mirror must hold. The engine itself is asked, unless a list is kept that was made for the same files.
    ///
    /// # Errors
    /// When the plan installs no Kubernetes, the tools cannot be made ready, or the engine's answer is not understood.
    pub async fn downloads(&mut self, planned: &Planned) -> Result<Downloads, Failure> {
        let (release, files) = parts(&planned.plan).ok_or_else(no_engine)?;
        let (release, inputs) = (release.clone(), Digest::of(files));
        if let Some(list) = self.kept_downloads(&inputs).await.map_err(|error| client_problem(&error))? {
            return Ok(Downloads { release, list });
        }
        self.make_tools(planned).await?;
        let list = self.asked_downloads(&release, &inputs).await.map_err(|error| client_problem(&error))?;
        Ok(Downloads { release, list })
    }

    async fn kept_downloads(&self, inputs: &Digest) -> ClientResult<Option<DownloadList>> {
        let env = self.engine_env()?;
        match env.clients.fetch.list(&env.ctx).await? {
            Observed::Known(list) if list.inputs == *inputs => Ok(Some(list)),
            _ => Ok(None),
        }
    }

    async fn asked_downloads(&self, release: &KubesprayRelease, inputs: &Digest) -> ClientResult<DownloadList> {
        let env = self.engine_env()?;
        let asked = env.clients.ansible.downloads(&env.ctx, release).await?;
        downloads::list(asked, inputs, None).map_err(|finding| {
            ClientError::permanent("ansible", "listing downloads", finding.message.clone(), finding.fix.clone())
        })
    }

    fn engine_env(&self) -> ClientResult<StepEnv> {
        self.env().map_err(|problem| ClientError::permanent("ansible", problem.doing, problem.happened, problem.attempt))
    }

    /// Runs the steps of a plan that make the engine's tools: source, environment, inventory files.
    async fn make_tools(&mut self, planned: &Planned) -> Result<(), Failure> {
        let tools = self.planned(plinth_plan::part(&planned.plan, is_tool), &planned.cluster);
        let approved = self.approve(tools, &Always).await?;
        let mut approved = approved.ok_or_else(|| bug("making the engine's tools", "nobody approved it"))?;
        let report = self.run(&mut approved, Arc::new(|_| {}), StopSignal::new()).await?;
        failed(&report).map_or(Ok(()), |problem| Err(problem.into()))
    }
}

/// Makes something that only this machine has, and that plays need.
const fn is_tool(step: &Step) -> bool {
    matches!(
        step.work,
        Work::KubespraySource(_) | Work::KubesprayEnvironment(_) | Work::KubesprayInventory(_)
    )
}

/// The first failure of a run as a problem.
fn failed(report: &RunReport) -> Option<Problem> {
    let (step, finding) = report.failures.first()?;
    Some(Problem::new(report.exit, "making ready", step.to_string(), &finding.message, finding.fix.clone()))
}

/// The play of a step that takes nodes out, or in again.
fn play(step: &Step) -> Option<PlayRun> {
    match step.work.clone() {
        Work::KubesprayRemoval(KubesprayRemoval { release, targets, removal, parts }) => {
            let play = match removal {
                Removal::All => Play::Reset,
                Removal::Nodes { nodes, reachable } => Play::Remove { nodes, reachable },
            };
            Some(PlayRun { release, play, targets, inputs: parts })
        }
        Work::KubesprayRecovery(KubesprayRecovery { release, targets, broken, parts }) => {
            let play = Play::Recover { nodes: broken, reset: Vec::new() };
            Some(PlayRun { release, play, targets, inputs: parts })
        }
        _ => None,
    }
}

/// Release and files of a plan.
fn parts(plan: &Plan) -> Option<(&KubesprayRelease, &IndexMap<String, String>)> {
    let works = || plan.steps.iter().map(|step| &step.work);
    let release = works().find_map(|work| match work {
        Work::KubespraySource(KubespraySource { release }) => Some(release),
        _ => None,
    })?;
    let files = works().find_map(|work| match work {
        Work::KubesprayInventory(KubesprayInventory { files }) => Some(files),
        _ => None,
    })?;
    Some((release, files))
}

fn no_engine() -> Problem {
    Problem::new(Exit::Input, "listing downloads", "", "the plan installs no Kubernetes", "use `engine: kubespray`")
}

/// Whether nothing of what a removal or a recovery is about is there to do. Source, environment and files are only its tools.
#[must_use]
pub fn is_done(plan: &Plan) -> bool {
    let is_about = |work: &Work| {
        matches!(work, Work::KubesprayRemoval(_) | Work::NodeLeftovers(_) | Work::KubesprayRecovery(_))
    };
    plan.steps.iter().filter(|step| is_about(&step.work)).all(|step| !step.change.pending())
}
