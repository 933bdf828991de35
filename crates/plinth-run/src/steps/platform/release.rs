//! Helm releases: chart, version, values, status, health.

use super::upgrade_path::position_on;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::{Health, HelmRelease, Release, deadlines};
use plinth_model::{Finding, ReleaseName, Step};
use plinth_world::ClientError;
use plinth_world::helm::{Drift, ReleaseState, last_good, not_older, not_too_far};

const CLIENT: &str = "helm";
/// How the client says that the newest revision failed.
const FAILED: &str = "~ status failed";

impl StepKind for HelmRelease {
    const EXPLANATION: Explanation = Explanation {
        kind: HelmRelease::KIND,
        title: "The Helm release is deployed with its chart, version and values, and works.",
        probe: "Compares chart version, package, values and status with what helm keeps in the cluster, without running helm, then the objects with what helm applied, then looks at every proof of health.",
        act: "Upgrades or installs unless it is in the desired state already; where somebody changed or removed objects only, puts those right without helm. Then waits until it works: it is watched, and progress says what it waits for. An operation of helm that was broken off long ago is repaired before; one that may still be at work is not touched.",
    };

    /// The release is in the desired state, and everything that proves it holds.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { release, .. } = self;
        let mut differences = env.clients.helm.differences(&env.ctx, release).await?;
        if !differences.is_empty() {
            if let Some(finding) = not_to_be(release, env).await?.and_then(|error| error.finding) {
                return blocked(*finding);
            }
            if differences.iter().any(|line| line.starts_with(FAILED)) {
                differences.extend(way_back(env, release, Newest::DoesNotWork).await.map(|way| format!("! {way}")));
            }
            return Ok(differs(differences));
        }
        let drift = env.clients.helm.drift(&env.ctx, release).await?;
        if !drift.lines.is_empty() {
            return Ok(differs(drift.lines));
        }
        let version = deployed(release, env).await?;
        let unhealthy = unhealthy(env, &release.namespace, &release.health).await?;
        let seen = compared(unhealthy, || {
            format!("{} {version} is deployed, {} checked", release.chart, amount(release.health.len(), "proof"))
        });
        Ok(seen.noting(doubtful(&release.component, &drift)))
    }

    /// Installs or upgrades unless it is in the desired state already, then waits until it works.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { release, .. } = self;
        let differences = env.clients.helm.differences(&env.ctx, release).await?;
        let mut repaired = Vec::new();
        if differences.is_empty() {
            if !env.clients.helm.drift(&env.ctx, release).await?.lines.is_empty() {
                repaired = env.clients.helm.upgrade(&env.ctx, release).await?;
            }
        } else {
            if let Some(error) = not_to_be(release, env).await? {
                return Err(error);
            }
            env.ctx.progress(0, 0, format!("helm upgrade --install {}", release.release));
            repaired = match env.clients.helm.upgrade(&env.ctx, release).await {
                Ok(repaired) => repaired,
                Err(error) => return Err(with_way_back(env, release, error, Newest::MayWork).await),
            };
        }
        let limit = wait::Limit::within(step, env, release.timeout_s.saturating_add(deadlines::RELEASE_MARGIN));
        let works = until_it_works(env, &limit, &release.component, &release.namespace, &release.health).await;
        if let Err(error) = works {
            return Err(with_way_back(env, release, error, Newest::DoesNotWork).await);
        }
        let what = if differences.is_empty() { "was there already" } else { "installed" };
        let said = format!("{} {} {what}, and it works", release.chart, deployed(release, env).await?);
        Ok(std::iter::once(said).chain(repaired).collect::<Vec<_>>().join("; "))
    }
}

/// What is to be said of objects although nothing is to be done about them.
fn doubtful(component: &str, drift: &Drift) -> Vec<Finding> {
    let (left, unseen) = (amount(drift.left.len(), "change"), amount(drift.unseen.len(), "kind"));
    let left = Finding::warning(
        code::HELM_OBJECTS_LEFT,
        component,
        format!("{left} in objects of {component} that something sets again and again"),
    )
    .fix("find out what sets them, and let one of both have its way: a value of the chart, or the other");
    let unseen = Finding::info(
        code::HELM_OBJECTS_UNSEEN,
        component,
        format!("{unseen} of objects of {component} could not be compared with what helm applied"),
    )
    .fix("let the user of the kubeconfig list these kinds in all namespaces");
    let with = |finding: Finding, lines: &[String]| {
        let evidence = lines.to_vec();
        (!lines.is_empty()).then_some(Finding { evidence, ..finding })
    };
    with(left, &drift.left).into_iter().chain(with(unseen, &drift.unseen)).collect()
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

/// Why this upgrade is refused: an older version than the deployed one, as far as it is known here which one would be installed, or one
/// that is too far ahead, of itself or of what it is the operator of. None: it goes forward.
async fn not_to_be(release: &Release, env: &StepEnv) -> Result<Option<ClientError>, ClientError> {
    if let Some(error) = refused_by_path(release, env).await? {
        return Ok(Some(error));
    }
    let wanted = release.version.exact();
    if wanted.is_none() && release.upgrades_from.is_none() {
        return Ok(None);
    }
    let there = env.clients.helm.release(&env.ctx, &release.namespace, &release.release).await?;
    let Some(ReleaseState { version, .. }) = there else { return Ok(None) };
    let forward = wanted.map_or(Ok(()), |wanted| not_older(release, &version, wanted));
    Ok(forward.and_then(|()| not_too_far(release, &version)).err())
}

/// Why this release of an operator cannot take what it is the operator of any further: it moves by one minor at a time, and the next one is
/// not among those that the release carries.
async fn refused_by_path(release: &Release, env: &StepEnv) -> Result<Option<ClientError>, ClientError> {
    Ok(position_on(env, &release.component, release.upgrade_path.as_deref()).await?.err())
}

/// Waits until every proof of health holds. What helm keeps does not change by itself, so nothing else is looked at.
pub(super) async fn until_it_works(
    env: &StepEnv,
    limit: &wait::Limit,
    component: &str,
    namespace: &str,
    health: &[Health],
) -> Result<String, ClientError> {
    let late = |seen: &[String]| not_healthy(component, namespace, seen);
    let works = || async {
        let left = unhealthy(env, namespace, health).await?;
        Ok(compared(left, || format!("{component} works")))
    };
    let mut watch = env.clients.kube.watch(&env.ctx, namespace, health).await;
    wait::watched(limit, env, (CLIENT, &mut *watch), works, late).await
}

/// What is known of the newest revision.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Newest {
    /// helm was not run, or wrote nothing, unless its records say otherwise.
    MayWork,
    /// It failed, or its proofs of health do not hold.
    DoesNotWork,
}

/// The way back, where there is one: `revision 2 (chart 1.2.3) worked: ..`. It is named, and never taken without being asked for. From a
/// release that works there is none.
async fn way_back(env: &StepEnv, release: &Release, newest: Newest) -> Option<String> {
    let name = ReleaseName { namespace: release.namespace.clone(), name: release.release.clone() };
    let history = env.clients.helm.history(&env.ctx, &name).await.ok()?;
    if newest == Newest::MayWork && history.last().is_some_and(ReleaseState::worked) {
        return None;
    }
    let good = last_good(&history)?;
    let (component, revision) = (&release.component, good.revision);
    Some(format!(
        "revision {revision} (chart {}) worked: `plinth rollback {component}` goes back to it, after showing the plan",
        good.version
    ))
}

/// Something that may pass is tried again; for the rest the way back is named.
async fn with_way_back(env: &StepEnv, release: &Release, mut error: ClientError, newest: Newest) -> ClientError {
    if error.transient.is_some() {
        return error;
    }
    if let Some(way) = way_back(env, release, newest).await {
        error.attempt = format!("{}; {way}", error.attempt);
        if let Some(finding) = &mut error.finding {
            finding.fix = format!("{}; {way}", finding.fix);
        }
    }
    error
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
