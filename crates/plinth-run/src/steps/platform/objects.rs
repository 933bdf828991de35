//! Objects beside a release.

use super::release;
use super::upgrade_path::{Position, position_on};
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::Step;
use plinth_model::Version;
use plinth_model::amount;
use plinth_model::steps::{KubeObjects, UpgradePath, deadlines};
use plinth_world::{ClientError, ClientResult};
use serde_json::Value;

const CLIENT: &str = "kube";

impl StepKind for KubeObjects {
    const EXPLANATION: Explanation = Explanation {
        kind: KubeObjects::KIND,
        title: "Objects beside a release are in the desired state, and work.",
        probe: "Compares by a server-side dry run, then looks at every proof of health.",
        act: "Applies them server side, then waits until they work. A version that its operator takes one minor further at a time goes over those between.",
    };

    /// The objects are in the desired state, and work.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { component, objects, health, upgrade_path, .. } = self;
        let mut differences = env.clients.kube.diff(&env.ctx, objects).await?;
        if !differences.is_empty() {
            match position_on(env, component, upgrade_path.as_deref()).await? {
                Ok(position) => differences
                    .extend(upgrade_path.iter().zip(position).find_map(|(path, at)| versions_between(path, &at))),
                Err(error) => return refused_by(error),
            }
            return Ok(differs(differences));
        }
        let unhealthy = release::unhealthy(env, namespace_of(objects), health).await?;
        Ok(compared(unhealthy, || {
            format!("{} of {component} in the desired state and working", amount(objects.len(), "object"))
        }))
    }

    /// Applies the objects and waits until they work.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { component, objects, health, .. } = self;
        let gone_over = go_over_versions_between(self, step, env).await?;
        let limit = limit(self, step, env);
        env.clients.kube.apply(&env.ctx, objects).await?;
        let late = |seen: &[String]| release::not_healthy(component, namespace_of(objects), seen);
        let mut watch = env.clients.kube.watch(&env.ctx, namespace_of(objects), health).await;
        wait::watched(&limit, env, (CLIENT, &mut *watch), || self.probe(env), late).await?;
        let said = format!("{} of {component} applied and working", amount(objects.len(), "object"));
        Ok(if gone_over.is_empty() { said } else { format!("{said}; gone over {}", listed(&gone_over)) })
    }
}

/// The versions that will be gone over, in a line for people; none where there is none between.
fn versions_between(path: &UpgradePath, Position { there, .. }: &Position) -> Option<String> {
    let between = path.between(there);
    let line = || format!("~ {} {} → {}, over {}", path.title, there.bare(), path.wanted.bare(), listed(&between));
    (!between.is_empty()).then(line)
}

fn listed(versions: &[Version]) -> String {
    versions.iter().map(Version::bare).collect::<Vec<_>>().join(", ")
}

/// One minor after the other, each until its operator says that it is there and works. Begins where an attempt before stopped. Answers what
/// was gone over.
async fn go_over_versions_between(objects: &KubeObjects, step: &Step, env: &StepEnv) -> ClientResult<Vec<Version>> {
    let KubeObjects { component, objects: manifests, upgrade_path, .. } = objects;
    let mut gone_over = Vec::new();
    let Some(path) = upgrade_path.as_deref() else { return Ok(gone_over) };
    while let Some(Position { there, next: Some(next) }) = position_on(env, component, Some(path)).await?? {
        env.ctx.progress(0, 0, format!("{} {} goes over {}", path.title, there.bare(), next.bare()));
        env.clients.kube.apply(&env.ctx, &path.with_version(manifests, &next)).await?;
        let limit = limit(objects, step, env);
        let late = |seen: &[String]| release::not_healthy(component, namespace_of(manifests), seen);
        wait::until(&limit, env, CLIENT, || arrived(objects, env, path, &next), late).await?;
        gone_over.push(next);
    }
    Ok(gone_over)
}

/// How long one version, or the objects as a whole, may take.
fn limit(objects: &KubeObjects, step: &Step, env: &StepEnv) -> wait::Limit {
    wait::Limit::within(step, env, objects.timeout_s.saturating_add(deadlines::RELEASE_MARGIN))
}

/// Whether a version between is there and works.
async fn arrived(
    objects: &KubeObjects,
    env: &StepEnv,
    path: &UpgradePath,
    next: &Version,
) -> Result<Probed, ClientError> {
    let there = env.clients.kube.version(&env.ctx, &path.object).await?;
    if there.as_ref().is_none_or(|there| there.minor() != next.minor()) {
        let there = there.map_or_else(|| "none".to_owned(), |there| there.bare().to_owned());
        return Ok(differs(vec![format!("{} is {there}, and {} is on its way", path.title, next.bare())]));
    }
    let unhealthy = release::unhealthy(env, namespace_of(&objects.objects), &objects.health).await?;
    Ok(compared(unhealthy, || format!("{} {} works", path.title, next.bare())))
}

/// An error with a finding blocks; nothing is tried.
fn refused_by(error: ClientError) -> Result<Probed, ClientError> {
    match error.finding {
        Some(finding) => blocked(*finding),
        None => Err(error),
    }
}

/// Namespace in which workloads of the objects are looked for: the first that one of them names.
fn namespace_of(objects: &[Value]) -> &str {
    objects.iter().find_map(|object| object.pointer("/metadata/namespace")?.as_str()).unwrap_or_default()
}
