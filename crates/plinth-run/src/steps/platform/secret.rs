//! Kubernetes secrets.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{done, todo, unseen};
use crate::steps::{Explanation, StepKind};
use plinth_model::steps::KubeSecret;
use plinth_model::{Observed, Step};
use plinth_world::ClientError;

const CLIENT: &str = "kube";

impl StepKind for KubeSecret {
    const EXPLANATION: Explanation = Explanation {
        kind: KubeSecret::KIND,
        title: "The secret exists with the wanted content and labels.",
        probe: "Compares inside the client; the content goes nowhere else.",
        act: "Makes or replaces the secret.",
        undo: "The secret is removed.",
    };

    /// The secret exists with this content; the comparison happens inside the client, so the content goes nowhere.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { namespace, name, content, labels } = self;
        match env.clients.kube.secret_matches(&env.ctx, namespace, name, content, labels).await? {
            Observed::Known(true) => done(format!("secret {namespace}/{name} is as wanted")),
            Observed::Known(false) => todo(format!("~ secret {namespace}/{name}: content or labels differ")),
            Observed::Absent => todo(format!("+ secret {namespace}/{name}")),
            Observed::Unknown(reason) => Err(unseen(CLIENT, format!("comparing secret {namespace}/{name}"), &reason)),
        }
    }

    /// Makes or replaces the secret.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { namespace, name, content, labels } = self;
        env.clients.kube.make_secret(&env.ctx, namespace, name, content, labels).await?;
        Ok(format!("secret {namespace}/{name} written"))
    }
}
