//! Pods that read a secret and do not follow it.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::compared;
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::SecretRestart;
use plinth_model::{Finding, Step};
use plinth_world::ClientError;
use plinth_world::kube::Behind;

const CLIENT: &str = "kube";

impl StepKind for SecretRestart {
    const EXPLANATION: Explanation = Explanation {
        kind: SecretRestart::KIND,
        title: "Every pod that reads a secret has its present content, and is ready.",
        probe: "Lists pods and workloads of the namespace, and compares when each pod that reads the secret began with when the secret was changed.",
        act: "Restarts the workloads that are behind, as `kubectl rollout restart` does, then waits until their pods are ready.",
    };

    /// Nobody is behind.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let behind = behind(self, env).await?;
        let lines = behind.iter().map(|one| format!("! {}: {}", in_words(one), one.seen)).collect();
        Ok(compared(lines, || {
            format!("every pod that reads {}/{} has its present content", self.namespace, self.secret)
        }))
    }

    /// Restarts who is behind, then waits. A workload that is only not ready is waited for, and not restarted.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let limit = wait::Limit::of(step, env);
        let behind: Vec<Behind> = behind(self, env).await?.into_iter().filter(|one| !one.old.is_empty()).collect();
        env.clients.kube.restart(&env.ctx, &self.namespace, &self.secret, &behind).await?;
        let mut watch = env.clients.kube.watch(&env.ctx, &self.namespace, &[]).await;
        let late = |seen: &[String]| not_back(self, seen);
        wait::watched(&limit, env, (CLIENT, &mut *watch), || self.probe(env), late).await?;
        let names: Vec<String> = behind.iter().map(in_words).collect();
        Ok(if names.is_empty() {
            "all are ready".to_owned()
        } else {
            format!("restarted and ready: {}", names.join(", "))
        })
    }
}

async fn behind(wanted: &SecretRestart, env: &StepEnv) -> Result<Vec<Behind>, ClientError> {
    env.clients.kube.behind(&env.ctx, &wanted.namespace, &wanted.secret, wanted.read_at_start).await
}

fn not_back(wanted: &SecretRestart, seen: &[String]) -> Finding {
    let place = format!("{}/{}", wanted.namespace, wanted.secret);
    let message = format!("pods that read secret {place} did not come back in time");
    let mut finding = Finding::error(code::PLATFORM_NOT_BACK, place, message);
    finding.evidence = seen.to_vec();
    finding.fix("look at the pods that the evidence names (`kubectl describe pod`), fix what stops them, then run the same command again: it goes on here")
}

fn in_words(one: &Behind) -> String {
    format!("{} {}", one.kind, one.name)
}
