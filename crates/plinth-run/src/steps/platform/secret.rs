//! Kubernetes secrets.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::KubeSecret;
use plinth_world::ClientError;

impl StepKind for KubeSecret {
    const EXPLANATION: Explanation = Explanation {
        kind: KubeSecret::KIND,
        title: "The secret exists with the wanted content and labels.",
        probe: "Compares inside the client; the content goes nowhere else.",
        act: "Makes or replaces the secret.",
    };

    /// The secret exists with this content; the comparison happens inside the client, so the content goes nowhere.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { namespace, name, content, labels } = self;
        match env.clients.kube.secret_matches(&env.ctx, namespace, name, content, labels).await? {
            Some(true) => done(format!("secret {namespace}/{name} is in the desired state")),
            Some(false) => todo(format!("~ secret {namespace}/{name}: content or labels differ")),
            None => todo(format!("+ secret {namespace}/{name}")),
        }
    }

    /// Makes or replaces the secret.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { namespace, name, content, labels } = self;
        env.clients.kube.make_secret(&env.ctx, namespace, name, content, labels).await?;
        Ok(format!("secret {namespace}/{name} written"))
    }
}
