//! Going back to an earlier revision of a component's release: a small plan, made because somebody asks for it.

use crate::failure::{Failure, client_problem};
use crate::operation::{Discovered, Operation, Planned};
use plinth_model::steps::{HelmRelease, HelmRollback, Release};
use plinth_model::{Plan, Problem, ReleaseName, Work};
use plinth_plan::Observed;
use plinth_run::StepEnv;
use plinth_world::ClientError;
use plinth_world::helm::{ReleaseState, last_good};

impl Operation<'_> {
    /// A plan that makes the release of a component what an earlier revision of it was: this one, or the newest before that worked. It has
    /// no step when the release is so already.
    ///
    /// # Errors
    /// When the site has no such component, when helm remembers no such revision that worked, or when the cluster cannot be asked.
    pub async fn plan_rollback(
        &self,
        discovered: &Discovered,
        component: &str,
        to: Option<u32>,
    ) -> Result<Planned, Failure> {
        let mut observed = Observed::new(discovered.inventory.clone());
        let HelmRelease { release, stage } = of_component(&self.make(&observed)?, component)?;
        let name = ReleaseName { namespace: release.namespace.clone(), name: release.release.clone() };
        let env = self.env()?;
        let history = env.clients.helm.history(&env.ctx, &name).await.map_err(|error| client_problem(&error))?;
        let good = chosen(&history, to).ok_or_else(|| none_worked(component, &history, to))?;
        let lines = env.clients.helm.differences_to_revision(&env.ctx, &name, good.revision).await;
        let mut lines = lines.map_err(|error| client_problem(&error))?;
        if lines.is_empty() {
            // helm went back before, and its word is not enough.
            lines = unhealthy(&env, &release).await.map_err(|error| client_problem(&error))?;
        }
        let work = HelmRollback {
            component: component.to_owned(),
            release: name,
            to: good.revision,
            version: good.version.clone(),
            timeout_s: release.timeout_s,
            health: release.health.clone(),
            stage,
        };
        let newest = history.last().unwrap_or(good);
        let reason = format!(
            "revision {} (chart {}) is {} since {}, and going back to revision {} was asked for",
            newest.revision, newest.version, newest.status, newest.since, good.revision
        );
        let work = (!lines.is_empty()).then_some((work, reason, lines));
        let plan = plinth_plan::rollback(self.desired(), &mut observed, &self.input().catalog, work);
        let plan = plan.map_err(|findings| self.input().rejected_after_contact(findings))?;
        Ok(self.planned(plan, &discovered.cluster, format!("rollback {component}")))
    }
}

/// What of its proofs of health does not hold.
async fn unhealthy(env: &StepEnv, release: &Release) -> Result<Vec<String>, ClientError> {
    let mut lines = Vec::new();
    for proof in &release.health {
        let state = env.clients.kube.health(&env.ctx, &release.namespace, proof).await?;
        if !state.holds {
            lines.push(format!("! it does not work: {}", state.seen));
        }
    }
    Ok(lines)
}

fn chosen(history: &[ReleaseState], to: Option<u32>) -> Option<&ReleaseState> {
    match to {
        Some(to) => history.iter().find(|one| one.revision == to && one.worked()),
        None => last_good(history),
    }
}

/// The release of a component of the site.
fn of_component(plan: &Plan, component: &str) -> Result<HelmRelease, Problem> {
    let releases = || {
        plan.steps.iter().filter_map(|step| match &step.work {
            Work::HelmRelease(release) => Some(release),
            _ => None,
        })
    };
    let known = releases().map(|one| one.release.component.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = || {
        Problem::while_doing("choosing a component")
            .to(format!("`{component}`"))
            .wrong_input("the site has no component of this name with a release")
            .try_this(format!("give one of: {known}"))
    };
    releases().find(|one| one.release.component == component).cloned().ok_or_else(unknown)
}

fn none_worked(component: &str, history: &[ReleaseState], to: Option<u32>) -> Problem {
    let told = |one: &ReleaseState| format!("{} (chart {}, {})", one.revision, one.version, one.status);
    let all = history.iter().map(told).collect::<Vec<_>>().join(", ");
    let happened = match (all.as_str(), to) {
        ("", _) => "helm remembers nothing of it".to_owned(),
        (all, Some(to)) => format!("helm remembers no revision {to} that worked, but {all}"),
        (all, None) => format!("helm remembers no earlier revision that worked, but {all}"),
    };
    Problem::while_doing("choosing a revision of").to(component).wrong_input(happened).try_this(
        "name one that worked (`deployed` or `superseded`) with `--to-revision N`, or fix what `plinth apply` says",
    )
}
