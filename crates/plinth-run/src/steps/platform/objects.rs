//! Objects beside a release.

use super::release;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::Step;
use plinth_model::Version;
use plinth_model::amount;
use plinth_model::steps::{Climb, KubeObjects, deadlines};
use plinth_world::ClientError;
use plinth_world::climb::not_in_one_go;
use serde_json::Value;

const CLIENT: &str = "kube";

impl StepKind for KubeObjects {
    const EXPLANATION: Explanation = Explanation {
        kind: KubeObjects::KIND,
        title: "Objects beside a release are as wanted, and work.",
        probe: "Compares by a server-side dry run, then looks at every proof of health.",
        act: "Applies them server side, then waits until they work. A version that its operator takes one minor further at a time goes over those between.",
    };

    /// The objects are as wanted, and work.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { component, objects, health, .. } = self;
        let mut differences = env.clients.kube.diff(&env.ctx, objects).await?;
        if !differences.is_empty() {
            match way(self, env).await? {
                Ok(way) => differences.extend(way),
                Err(error) => return refused_by(error),
            }
            return Ok(differs(differences));
        }
        let unhealthy = release::unhealthy(env, namespace_of(objects), health).await?;
        Ok(compared(unhealthy, || format!("{} of {component} as wanted and working", amount(objects.len(), "object"))))
    }

    /// Applies the objects and waits until they work.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { component, objects, health, .. } = self;
        go_over_versions_between(self, step, env).await?;
        let limit = limit(self, step, env);
        env.clients.kube.apply(&env.ctx, objects).await?;
        let late = |seen: &[String]| release::not_healthy(component, namespace_of(objects), seen);
        let mut watch = env.clients.kube.watch(&env.ctx, namespace_of(objects), health).await;
        wait::watched(&limit, env, (CLIENT, &mut *watch), || self.probe(env), late).await?;
        Ok(format!("{} of {component} applied and working", amount(objects.len(), "object")))
    }
}

/// The versions that are gone over, in a line for people; none where there is none between. Inside, why it cannot be gone.
async fn way(objects: &KubeObjects, env: &StepEnv) -> Result<Result<Option<String>, ClientError>, ClientError> {
    let Some(climb) = &objects.climb else { return Ok(Ok(None)) };
    let Some(there) = env.clients.kube.version(&env.ctx, &climb.object).await? else { return Ok(Ok(None)) };
    if let Err(gap) = climb.next(&there) {
        return Ok(Err(not_in_one_go(&objects.component, climb, &there, &gap)));
    }
    let between = climb.between(&there);
    let names = between.iter().map(Version::bare).collect::<Vec<_>>().join(", ");
    let line = || format!("~ {} {} → {}, over {names}", climb.title, there.bare(), climb.wanted.bare());
    Ok(Ok((!between.is_empty()).then(line)))
}

/// One minor after the other, each until its operator says that it is there and works. Begins where an attempt before stopped.
async fn go_over_versions_between(objects: &KubeObjects, step: &Step, env: &StepEnv) -> Result<(), ClientError> {
    let Some(climb) = &objects.climb else { return Ok(()) };
    while let Some(there) = env.clients.kube.version(&env.ctx, &climb.object).await? {
        let next = climb.next(&there).map_err(|gap| not_in_one_go(&objects.component, climb, &there, &gap))?;
        let Some(next) = next else { break };
        env.ctx.progress(0, 0, format!("{} {} goes over {}", climb.title, there.bare(), next.bare()));
        env.clients.kube.apply(&env.ctx, &climb.with_version(&objects.objects, &next)).await?;
        let limit = limit(objects, step, env);
        let late = |seen: &[String]| release::not_healthy(&objects.component, namespace_of(&objects.objects), seen);
        wait::until(&limit, env, CLIENT, || arrived(objects, env, climb, &next), late).await?;
    }
    Ok(())
}

/// How long one version, or the objects as a whole, may take.
fn limit(objects: &KubeObjects, step: &Step, env: &StepEnv) -> wait::Limit {
    wait::Limit::within(step, env, objects.timeout_s.saturating_add(deadlines::RELEASE_MARGIN))
}

/// Whether a version between is there and works.
async fn arrived(objects: &KubeObjects, env: &StepEnv, climb: &Climb, next: &Version) -> Result<Probed, ClientError> {
    let there = env.clients.kube.version(&env.ctx, &climb.object).await?;
    if there.as_ref().is_none_or(|there| there.minor() != next.minor()) {
        let there = there.map_or_else(|| "none".to_owned(), |there| there.bare().to_owned());
        return Ok(differs(vec![format!("{} is {there}, and {} is on its way", climb.title, next.bare())]));
    }
    let unhealthy = release::unhealthy(env, namespace_of(&objects.objects), &objects.health).await?;
    Ok(compared(unhealthy, || format!("{} {} works", climb.title, next.bare())))
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
