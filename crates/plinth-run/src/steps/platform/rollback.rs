//! A release that goes back to an earlier revision, because somebody asked for it.

use super::release;
use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, differs};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::Step;
use plinth_model::steps::{HelmRollback, deadlines};
use plinth_world::ClientError;
use std::time::Duration;

impl StepKind for HelmRollback {
    const EXPLANATION: Explanation = Explanation {
        kind: HelmRollback::KIND,
        title: "A Helm release is what an earlier revision of it was, and works.",
        probe: "Compares chart version, values, manifests and status of the newest revision with those of the earlier one, as helm keeps them in the cluster, then looks at every proof of health.",
        act: "Runs `helm rollback`, then waits until it works. A revision that somebody may still be at work on is not touched, and custom resource definitions that would be removed are refused. The next apply installs again what the site file says.",
    };

    /// The release is deployed as it was, and everything that proves it holds.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let differences = env.clients.helm.differences_to_revision(&env.ctx, &self.release, self.to).await?;
        if !differences.is_empty() {
            return Ok(differs(differences));
        }
        let unhealthy = release::unhealthy(env, &self.release.namespace, &self.health).await?;
        Ok(compared(unhealthy, || format!("{} is as revision {} was, chart {}", self.release, self.to, self.version)))
    }

    /// Goes back unless it is so already, then waits until it works.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { component, release, to, .. } = self;
        env.ctx.progress(0, 0, format!("helm rollback {} {to}", release.name));
        let limit = Duration::from_secs(u64::from(self.timeout_s));
        let mut said = env.clients.helm.rollback(&env.ctx, release, *to, limit).await?;
        let limit = wait::Limit::within(step, env, self.timeout_s.saturating_add(deadlines::RELEASE_MARGIN));
        release::until_it_works(env, &limit, component, &release.namespace, &self.health).await?;
        said.insert(0, format!("{release} went back to revision {to}, chart {}, and it works", self.version));
        Ok(said.join("; "))
    }
}
