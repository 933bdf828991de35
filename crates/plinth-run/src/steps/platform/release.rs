//! Helm releases: chart, version, values, status, health.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::{Health, HelmRelease, Release};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::helm::{ReleaseState, not_older};

const CLIENT: &str = "helm";

impl StepKind for HelmRelease {
    const EXPLANATION: Explanation = Explanation {
        kind: HelmRelease::KIND,
        title: "The Helm release is deployed with its chart, version and values, and works.",
        probe: "Compares chart version, package, values and status with what helm keeps in the cluster, without running helm, then looks at every proof of health.",
        act: "Upgrades or installs unless helm has it as wanted already, then waits until it works. An operation of helm that was broken off long ago is repaired before; one that may still be at work is not touched.",
    };

    /// The release is deployed as wanted, and everything that proves it holds.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { release, .. } = self;
        let differences = env.clients.helm.differences(&env.ctx, release).await?;
        if !differences.is_empty() {
            let finding = older(release, env).await?.and_then(|error| error.finding);
            return finding.map_or_else(|| Ok(differs(differences)), |finding| blocked(*finding));
        }
        let version = deployed(release, env).await?;
        let unhealthy = unhealthy(env, &release.namespace, &release.health).await?;
        Ok(compared(unhealthy, || {
            format!("{} {version} is deployed, {} checked", release.chart, amount(release.health.len(), "proof"))
        }))
    }

    /// Installs or upgrades unless helm already has it as wanted, then waits until it works.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { release, .. } = self;
        let differences = env.clients.helm.differences(&env.ctx, release).await?;
        let mut repaired = Vec::new();
        if !differences.is_empty() {
            if let Some(error) = older(release, env).await? {
                return Err(error);
            }
            env.ctx.progress(0, 0, format!("helm upgrade --install {}", release.release));
            repaired = env.clients.helm.upgrade(&env.ctx, release).await?;
        }
        let late = |seen: &[String]| not_healthy(&release.component, &release.namespace, seen);
        let limit = wait::Limit::within(step, env, release.timeout_s);
        wait::until(&limit, env, CLIENT, || self.probe(env), late).await?;
        let what = if differences.is_empty() { "was there already" } else { "installed" };
        let said = format!("{} {} {what}, and it works", release.chart, deployed(release, env).await?);
        Ok(std::iter::once(said).chain(repaired).collect::<Vec<_>>().join("; "))
    }
}

/// The version for people; of a line that nobody resolved before, the one that helm installed.
async fn deployed(release: &Release, env: &StepEnv) -> Result<String, ClientError> {
    if release.version.exact().is_some() {
        return Ok(release.version_in_words());
    }
    let there = env.clients.helm.release(&env.ctx, &release.namespace, &release.release).await?;
    let words = |there: ReleaseState| format!("{} ({})", there.version.bare(), release.version);
    Ok(there.map_or_else(|| release.version.to_string(), words))
}

/// Why an older version than the deployed one is refused, as far as it is known here which one would be installed; none: it goes
/// forward.
async fn older(release: &Release, env: &StepEnv) -> Result<Option<ClientError>, ClientError> {
    let Some(wanted) = release.version.exact() else { return Ok(None) };
    let there = env.clients.helm.release(&env.ctx, &release.namespace, &release.release).await?;
    Ok(there.and_then(|there| not_older(release, &there.version, wanted).err()))
}

/// What does not hold, one line each.
pub(super) async fn unhealthy(env: &StepEnv, namespace: &str, health: &[Health]) -> Result<Vec<String>, ClientError> {
    let mut lines = Vec::new();
    for proof in health {
        let state = env.clients.kube.health(&env.ctx, namespace, proof).await?;
        if !state.holds {
            lines.push(format!("! {}: {}", proof_name(proof), state.seen));
        }
    }
    Ok(lines)
}

fn proof_name(health: &Health) -> String {
    match health {
        Health::Workload { kind, name } => format!("{kind} {name}"),
        Health::Field { resource, name, path, equals, .. } => format!("{resource} {name} {path} == {equals}"),
        Health::Condition { resource, name, condition, .. } => format!("{resource} {name} {condition}"),
        Health::Allocatable { resource, .. } => format!("allocatable {resource}"),
    }
}

/// What to say when something did not come up in time.
pub(super) fn not_healthy(component: &str, namespace: &str, seen: &[String]) -> Finding {
    let mut finding = Finding::error(
        code::PLATFORM_NOT_HEALTHY,
        component,
        format!("{component} is installed, but does not work yet"),
    )
    .fix(format!("look at `kubectl --namespace {namespace} get pods,events`; run again when the cause is fixed"));
    finding.evidence = seen.to_vec();
    finding
}
