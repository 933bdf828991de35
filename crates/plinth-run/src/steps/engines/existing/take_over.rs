//! A cluster that is already there: taken over by its kubeconfig, which is tried before a copy is kept.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{blocked, compared, refused};
use crate::steps::{Explanation, StepKind, managed};
use plinth_model::engine::ExistingRecord;
use plinth_model::finding::code;
use plinth_model::steps::TakeOver;
use plinth_model::{EngineRecord, Finding, NodeName, Step, Version, amount};
use plinth_world::ClientError;
use plinth_world::kube::{ClusterMark, GivenConfig};
use std::collections::BTreeSet;

const CLIENT: &str = "kube";
/// Where the mark is, for people.
const MARK: &str = "the map plinth-site in kube-system";

impl StepKind for TakeOver {
    const EXPLANATION: Explanation = Explanation {
        kind: TakeOver::KIND,
        title: "A cluster that is already there is ours to work with.",
        probe: "Reads the kubeconfig that the site names, asks its server for its version, its nodes and the mark of a state directory, and compares them with the copy and the record in the state directory. Another version than the site file's stops it, and so does the mark of another state directory.",
        act: "Leaves the mark of this state directory in kube-system before anything else; tries the kubeconfig, and keeps a copy only if it works; writes the record. The file itself is never changed.",
    };

    /// The mark is ours, the copy is here and works, and the record says which cluster it is.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let before = env.clients.records.record(&env.ctx).await?;
        if let Some(finding) = before.as_ref().and_then(other_engine) {
            return blocked(finding);
        }
        let given = env.clients.existing.given(&env.ctx, &self.file).await?;
        let mark = env.clients.existing.mark(&env.ctx, &self.file).await?;
        if let ClusterMark::Other(manager) = &mark {
            return blocked(managed_elsewhere(&given, manager));
        }
        let version = env.clients.existing.version(&env.ctx, &self.file).await?;
        if let Some(finding) = self.version.as_ref().and_then(|wanted| other_version(&given, &version, wanted)) {
            return blocked(finding);
        }
        let unmarked = mark == ClusterMark::Absent;
        let mut lines: Vec<String> =
            unmarked.then(|| format!("+ mark of this state directory in {MARK}")).into_iter().collect();
        let lacks = copy(env, &given).await?;
        // Without a copy that works nobody can be asked for the nodes.
        let members = if lacks.is_empty() { Some(members(env).await?) } else { None };
        lines.extend(lacks);
        lines.extend(recorded(before.as_ref(), &given, &version, members.as_ref()));
        let unknown = members.as_ref().and_then(|members| unknown(&self.nodes, members));
        Ok(compared(lines, || format!("{} answers, Kubernetes {version}", given.server)).noting(unknown))
    }

    /// Leaves the mark, keeps the copy, and the record of it.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let given = env.clients.existing.given(&env.ctx, &self.file).await?;
        let kubernetes = env.clients.existing.version(&env.ctx, &self.file).await?;
        if let Some(finding) = self.version.as_ref().and_then(|wanted| other_version(&given, &kubernetes, wanted)) {
            return Err(refused(CLIENT, format!("taking over {}", given.server), finding));
        }
        env.clients.existing.take_over(&env.ctx, &self.file).await?;
        let (members, at) = (members(env).await?, env.ctx.clock().now());
        let nodes = amount(members.len(), "node");
        let said = format!("{} taken over, Kubernetes {kubernetes} on {nodes}", given.server);
        let record = ExistingRecord { server: given.server, kubernetes, members, at };
        env.clients.records.keep(&env.ctx, &EngineRecord::Existing(record)).await?;
        Ok(said)
    }
}

/// Nodes of the site that the cluster does not know; none: it knows all.
fn unknown(nodes: &[NodeName], members: &BTreeSet<String>) -> Option<Finding> {
    let unknown: Vec<&str> = nodes.iter().map(NodeName::as_str).filter(|node| !members.contains(*node)).collect();
    let (first, text) = (*unknown.first()?, format!("the cluster does not know {}", unknown.join(", ")));
    let fix =
        "write the names as `kubectl get nodes` shows them, take the nodes out of the site file, or have them joined";
    Some(Finding::warning(code::KUBERNETES_NODE_UNKNOWN, first, text).fix(fix))
}

/// Nodes of the cluster, by the names that it has for them.
async fn members(env: &StepEnv) -> Result<BTreeSet<String>, ClientError> {
    Ok(env.clients.kube.nodes(&env.ctx).await?.into_keys().collect())
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

/// What lacks of the record. Members are compared where they are known.
fn recorded(
    before: Option<&EngineRecord>,
    given: &GivenConfig,
    version: &Version,
    members: Option<&BTreeSet<String>>,
) -> Vec<String> {
    let Some(EngineRecord::Existing(before)) = before else {
        return vec![format!("+ record: Kubernetes {version} at {}", given.server)];
    };
    let (was, server, mut lines) = (&before.kubernetes, &before.server, Vec::new());
    if *server != given.server || was != version {
        lines.push(format!("~ record: Kubernetes {was} at {server} → {version} at {}", given.server));
    }
    if let Some(members) = members.filter(|members| **members != before.members) {
        let joined = members.difference(&before.members).map(|name| format!("+{name}"));
        let left = before.members.difference(members).map(|name| format!("-{name}"));
        lines.push(format!("~ record: nodes {}", joined.chain(left).collect::<Vec<_>>().join(" ")));
    }
    lines
}

fn managed_elsewhere(given: &GivenConfig, manager: &str) -> Finding {
    let place = format!("{MARK} at {}", given.server);
    managed::elsewhere(code::KUBERNETES_MANAGED_ELSEWHERE, ("cluster", "kubernetes"), manager, &place)
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
