//! Helm releases: chart, version, values, status, health.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::{Health, HelmRelease, Release};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::helm::{ReleaseState, values_digest};

const CLIENT: &str = "helm";
/// What helm calls a release that was installed to its end.
const DEPLOYED: &str = "deployed";

impl StepKind for HelmRelease {
    const EXPLANATION: Explanation = Explanation {
        kind: HelmRelease::KIND,
        title: "The Helm release is deployed with its chart, version and values, and works.",
        probe: "Compares version, digest of the values and status with what helm knows, then looks at every proof of health.",
        act: "Upgrades or installs unless helm has it as wanted already, then waits until it works.",
    };

    /// The release is deployed as wanted, and everything that proves it holds.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { release, .. } = self;
        let differences = differences(env, release).await?;
        if !differences.is_empty() {
            return Ok(differs(differences));
        }
        let unhealthy = unhealthy(env, &release.namespace, &release.health).await?;
        Ok(compared(unhealthy, || {
            format!(
                "{} {} is deployed, {} checked",
                release.chart,
                release.version,
                amount(release.health.len(), "proof")
            )
        }))
    }

    /// Installs or upgrades unless helm already has it as wanted, then waits until it works.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { release, .. } = self;
        let limit = wait::Limit::of(step, env);
        let differences = differences(env, release).await?;
        if !differences.is_empty() {
            env.ctx.progress(0, 0, format!("helm upgrade --install {}", release.release));
            env.clients.helm.upgrade(&env.ctx, release).await?;
        }
        let late = |seen: &[String]| not_healthy(&release.component, &release.namespace, seen);
        wait::until(&limit, env, CLIENT, || self.probe(env), late).await?;
        let what = if differences.is_empty() { "was there already" } else { "installed" };
        Ok(format!("{} {} {what}, and it works", release.chart, release.version))
    }
}

/// Differences between the wanted release and what helm knows; health is not part of it.
async fn differences(env: &StepEnv, release: &Release) -> Result<Vec<String>, ClientError> {
    match env.clients.helm.release(&env.ctx, &release.namespace, &release.release).await? {
        Some(state) => Ok(state_differences(&state, release)),
        None => Ok(vec![format!("+ release {}/{} {}", release.namespace, release.release, release.version)]),
    }
}

fn state_differences(state: &ReleaseState, release: &Release) -> Vec<String> {
    let mut differences = Vec::new();
    if !release.version.takes(&state.version) {
        differences.push(format!("~ version {} → {}", state.version, release.version));
    }
    let wanted = values_digest(&release.values);
    if state.values != wanted {
        differences.push(format!("~ values {} → {}", state.values.short(), wanted.short()));
    }
    if state.status != DEPLOYED {
        differences.push(format!("~ status {} → {DEPLOYED}", state.status));
    }
    differences
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
