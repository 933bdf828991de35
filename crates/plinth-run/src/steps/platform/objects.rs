//! Objects beside a release.

use super::release;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::Step;
use plinth_model::amount;
use plinth_model::steps::KubeObjects;
use plinth_world::ClientError;
use serde_json::Value;

const CLIENT: &str = "kube";

impl StepKind for KubeObjects {
    const EXPLANATION: Explanation = Explanation {
        kind: KubeObjects::KIND,
        title: "Objects beside a release are as wanted, and work.",
        probe: "Compares by a server-side dry run, then looks at every proof of health.",
        act: "Applies them server side, then waits until they work.",
    };

    /// The objects are as wanted, and work.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { component, objects, health, .. } = self;
        let differences = env.clients.kube.diff(&env.ctx, objects).await?;
        if !differences.is_empty() {
            return Ok(differs(differences));
        }
        let unhealthy = release::unhealthy(env, namespace_of(objects), health).await?;
        Ok(compared(unhealthy, || format!("{} of {component} as wanted and working", amount(objects.len(), "object"))))
    }

    /// Applies the objects and waits until they work.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { component, objects, health, .. } = self;
        let limit = wait::Limit::of(step, env);
        env.clients.kube.apply(&env.ctx, objects).await?;
        let late = |seen: &[String]| release::not_healthy(component, namespace_of(objects), seen);
        let mut watch = env.clients.kube.watch(&env.ctx, namespace_of(objects), health).await;
        wait::watched(&limit, env, (CLIENT, &mut *watch), || self.probe(env), late).await?;
        Ok(format!("{} of {component} applied and working", amount(objects.len(), "object")))
    }
}

/// Namespace in which workloads of the objects are looked for: the first that one of them names.
fn namespace_of(objects: &[Value]) -> &str {
    objects.iter().find_map(|object| object.pointer("/metadata/namespace")?.as_str()).unwrap_or_default()
}
