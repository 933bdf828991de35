//! A cluster that is already there: taken over by its kubeconfig, which is tried before a copy is kept.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, compared, refused};
use crate::steps::{Explanation, StepKind};
use plinth_model::engine::ExistingRecord;
use plinth_model::finding::code;
use plinth_model::steps::TakeOver;
use plinth_model::{EngineRecord, Finding, Step, Version};
use plinth_world::ClientError;
use plinth_world::kube::GivenConfig;

const CLIENT: &str = "kube";

impl StepKind for TakeOver {
    const EXPLANATION: Explanation = Explanation {
        kind: TakeOver::KIND,
        title: "A cluster that is already there is ours to work with.",
        probe: "Reads the kubeconfig that the site names, asks its server for its version, and compares both with the copy and the record in the state directory. Another version than the site file's stops it.",
        act: "Tries the kubeconfig, and keeps a copy only if it works; writes the record. The file itself is never changed.",
    };

    /// The copy is here and works, and the record says which cluster it is.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let before = env.clients.records.record(&env.ctx).await?;
        if let Some(finding) = before.as_ref().and_then(other_engine) {
            return blocked(finding);
        }
        let given = env.clients.existing.given(&env.ctx, &self.file).await?;
        let version = env.clients.existing.version(&env.ctx, &self.file).await?;
        if let Some(finding) = self.version.as_ref().and_then(|wanted| other_version(&given, &version, wanted)) {
            return blocked(finding);
        }
        let mut lines = copy(env, &given).await?;
        lines.extend(recorded(before.as_ref(), &given, &version));
        Ok(compared(lines, || format!("{} answers, Kubernetes {version}", given.server)))
    }

    /// Keeps the copy, and the record of it.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let given = env.clients.existing.given(&env.ctx, &self.file).await?;
        let kubernetes = env.clients.existing.version(&env.ctx, &self.file).await?;
        if let Some(finding) = self.version.as_ref().and_then(|wanted| other_version(&given, &kubernetes, wanted)) {
            return Err(refused(CLIENT, format!("taking over {}", given.server), finding));
        }
        env.clients.existing.take_over(&env.ctx, &self.file).await?;
        let said = format!("{} taken over, Kubernetes {kubernetes}", given.server);
        let record = ExistingRecord { server: given.server, kubernetes, at: env.ctx.clock().now() };
        env.clients.records.keep(&env.ctx, &EngineRecord::Existing(record)).await?;
        Ok(said)
    }
}

/// What lacks of the copy.
async fn copy(env: &StepEnv, given: &GivenConfig) -> Result<Vec<String>, ClientError> {
    if !given.held {
        return Ok(vec![format!("+ kubeconfig for {}", given.server)]);
    }
    let held = match env.clients.kube.kubeconfig(&env.ctx).await? {
        Some(held) => held.refused,
        None => Some("it is not there".to_owned()),
    };
    Ok(held.into_iter().map(|why| format!("~ kubeconfig: {why}")).collect())
}

/// What lacks of the record.
fn recorded(before: Option<&EngineRecord>, given: &GivenConfig, version: &Version) -> Option<String> {
    let Some(EngineRecord::Existing(before)) = before else {
        return Some(format!("+ record: Kubernetes {version} at {}", given.server));
    };
    let same = before.server == given.server && before.kubernetes == *version;
    let (was, server) = (&before.kubernetes, &before.server);
    (!same).then(|| format!("~ record: Kubernetes {was} at {server} → {version} at {}", given.server))
}

/// To take over what plinth installed would forget how it was made.
fn other_engine(record: &EngineRecord) -> Option<Finding> {
    let EngineRecord::Kubespray(_) = record else { return None };
    let text = "plinth installed Kubernetes here with Kubespray, and the site file says `engine: existing`";
    let finding = Finding::error(code::KUBERNETES_ENGINE_CHANGED, "kubernetes.engine", text);
    Some(finding.evidence("the record of the site names the engine kubespray").fix(
        "write `engine: kubespray` again; for another cluster use another site name, or another folder with `--state DIR`",
    ))
}

fn other_version(given: &GivenConfig, runs: &Version, wanted: &Version) -> Option<Finding> {
    (runs != wanted).then(|| {
        let text = format!("the cluster runs Kubernetes {runs}, and the site file says {wanted}");
        Finding::error(code::KUBERNETES_OTHER_VERSION, "kubernetes.version", text)
            .evidence(format!("{} says so", given.server))
            .fix("correct `kubernetes.version` or leave it out, or name the kubeconfig of the right cluster")
    })
}
