//! Components that were switched off after plinth installed them.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::compared;
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::amount;
use plinth_model::finding::code;
use plinth_model::steps::ComponentRemoval;
use plinth_model::{Finding, ObjectName, Parts, Step};
use plinth_world::ClientError;
use std::time::Duration;

const CLIENT: &str = "kube";

impl StepKind for ComponentRemoval {
    const EXPLANATION: Explanation = Explanation {
        kind: ComponentRemoval::KIND,
        title: "A component that plinth installed and that the site no longer wants is gone.",
        probe: "Asks helm for its releases and the API server for the objects beside them.",
        act: "Removes the objects first and waits until they are gone, since the component itself may have to clean up behind them; then uninstalls its releases. Its namespace stays with what others may use in it: secrets, claims of volumes and their data; so do custom resource definitions that are not part of the release's templates. They are removed by hand: `kubectl delete namespace NAMESPACE`.",
    };

    /// Neither helm nor the API server knows anything of it.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Parts { component, releases, objects } = &self.parts;
        let mut left = lines(&present(env, objects.iter().cloned().collect()).await?);
        for release in releases {
            let found = env.clients.helm.release(&env.ctx, &release.namespace, &release.name).await?;
            left.extend(found.map(|found| format!("- release {release} {}", found.version)));
        }
        Ok(compared(left, || format!("nothing of {component} is left")))
    }

    /// Objects first, then releases.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let limit = wait::Limit::within(step, env, self.timeout_s);
        let Parts { component, releases, objects } = &self.parts;
        let objects: Vec<ObjectName> = objects.iter().cloned().collect();
        if !objects.is_empty() {
            env.clients.kube.remove(&env.ctx, &objects).await?;
            let gone = || async {
                let left = present(env, objects.clone()).await?;
                Ok(compared(lines(&left), || format!("objects of {component} are gone")))
            };
            wait::until(&limit, env, CLIENT, gone, |seen: &[String]| not_removed(component, seen)).await?;
        }
        for release in releases {
            env.ctx.progress(0, 0, format!("helm uninstall {}", release.name));
            let limit = Duration::from_secs(u64::from(self.timeout_s));
            env.clients.helm.uninstall(&env.ctx, release, limit).await?;
        }
        Ok(said(&self.parts))
    }
}

async fn present(env: &StepEnv, objects: Vec<ObjectName>) -> Result<Vec<ObjectName>, ClientError> {
    if objects.is_empty() { Ok(objects) } else { env.clients.kube.present(&env.ctx, &objects).await }
}

fn lines(objects: &[ObjectName]) -> Vec<String> {
    objects.iter().map(|object| format!("- {object}")).collect()
}

fn said(Parts { releases, objects, .. }: &Parts) -> String {
    let mut parts = Vec::new();
    parts.extend((!objects.is_empty()).then(|| format!("{} removed", amount(objects.len(), "object"))));
    parts.extend(releases.iter().map(|release| format!("{} uninstalled, its namespace stays", release.name)));
    parts.join(", ")
}

fn not_removed(component: &str, seen: &[String]) -> Finding {
    let message = format!("objects of {component} were removed, and are still there");
    let fix = "look at their `metadata.finalizers` and at the controller that has to clear them, then run again";
    let mut finding = Finding::error(code::PLATFORM_NOT_REMOVED, component, message).fix(fix);
    finding.evidence = seen.to_vec();
    finding
}
