//! Namespaces with their Pod Security level.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::{Namespace, PodSecurity};
use plinth_world::ClientError;

impl StepKind for Namespace {
    const EXPLANATION: Explanation = Explanation {
        kind: Namespace::KIND,
        title: "The namespace exists with its Pod Security level.",
        probe: "Reads the level.",
        act: "Makes the namespace, or sets its level.",
    };

    /// The namespace exists with exactly this level.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let (name, level) = (&self.name, self.pod_security);
        let wanted = level_name(level);
        match env.clients.kube.namespace(&env.ctx, name).await? {
            Some(Some(present)) if present == level => done(format!("exists, {wanted}")),
            Some(present) => todo(format!("~ Pod Security {} → {wanted}", present.map_or("unset", level_name))),
            None => todo(format!("+ namespace {name}, {wanted}")),
        }
    }

    /// Makes the namespace, or sets its level.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let (name, level) = (&self.name, self.pod_security);
        env.clients.kube.make_namespace(&env.ctx, name, level).await?;
        Ok(format!("namespace {name}, {}", level_name(level)))
    }
}

const fn level_name(level: PodSecurity) -> &'static str {
    match level {
        PodSecurity::Restricted => "restricted",
        PodSecurity::Baseline => "baseline",
        PodSecurity::Privileged => "privileged",
    }
}
