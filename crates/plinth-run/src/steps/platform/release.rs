//! Helm releases: chart, version, values, status, health.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::{Health, HelmRelease};
use plinth_model::{Finding, Step};
use plinth_world::ClientError;

const CLIENT: &str = "helm";

impl StepKind for HelmRelease {
    const EXPLANATION: Explanation = Explanation {
        kind: HelmRelease::KIND,
        title: "The Helm release is deployed with its chart, version and values, and works.",
        probe: "Compares chart version, package, values and status with what helm keeps in the cluster, without running helm, then looks at every proof of health.",
        act: "Upgrades or installs unless helm has it as wanted already, then waits until it works: it is watched, and progress says what it waits for. An operation of helm that was broken off long ago is repaired before; one that may still be at work is not touched.",
    };

    /// The release is deployed as wanted, and everything that proves it holds.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { release, .. } = self;
        let differences = env.clients.helm.differences(&env.ctx, release).await?;
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
        let differences = env.clients.helm.differences(&env.ctx, release).await?;
        let mut repaired = Vec::new();
        if !differences.is_empty() {
            env.ctx.progress(0, 0, format!("helm upgrade --install {}", release.release));
            repaired = env.clients.helm.upgrade(&env.ctx, release).await?;
        }
        let late = |seen: &[String]| not_healthy(&release.component, &release.namespace, seen);
        let (limit, kube) = (wait::Limit::within(step, env, release.timeout_s), &env.clients.kube);
        let mut watch = kube.watch(&env.ctx, &release.namespace, &release.health).await;
        // What helm keeps does not change by itself, so only health is looked at.
        let works = || async {
            let left = unhealthy(env, &release.namespace, &release.health).await?;
            Ok(compared(left, || format!("{} works", release.component)))
        };
        wait::watched(&limit, env, (CLIENT, &mut *watch), works, late).await?;
        let what = if differences.is_empty() { "was there already" } else { "installed" };
        let said = format!("{} {} {what}, and it works", release.chart, release.version);
        Ok(std::iter::once(said).chain(repaired).collect::<Vec<_>>().join("; "))
    }
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
