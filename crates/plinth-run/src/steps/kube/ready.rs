//! The node as Kubernetes sees it.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, todo, unseen};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::NodeReady;
use plinth_model::version::VersionError;
use plinth_model::{Finding, NodeName, Step, Version};
use plinth_world::ClientError;
use plinth_world::kube::KubeNode;

const CLIENT: &str = "kube";

impl StepKind for NodeReady {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeReady::KIND,
        title: "The node is Ready and runs the planned version.",
        probe: "Reads the node's condition and its kubelet version.",
        act: "Waits until its deadline, looking often at first and then every ten seconds.",
    };

    /// The node is Ready and runs this version; any, where none is named.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { node, version } = self;
        let seen = match env.node(node).await? {
            Some(seen) => seen,
            None => return todo(format!("! Kubernetes does not know node {node} yet")),
        };
        let mut differences = Vec::new();
        if seen.version.is_empty() {
            differences.push("! it has not told its version yet".to_owned());
        } else if let Some(version) = version {
            let runs = kubelet_version(node, &seen)?;
            differences.extend((runs != *version).then(|| format!("~ version {} → {version}", seen.version)));
        }
        if !seen.ready {
            differences.push("! not Ready".to_owned());
        }
        Ok(compared(differences, || format!("Ready, {}", seen.version)))
    }

    /// Waits until the node is Ready.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { node, .. } = self;
        let late = |seen: &[String]| {
            let mut finding =
                Finding::error(code::KUBERNETES_NODE_NOT_READY, node.as_str(), "the node did not become Ready in time")
                    .fix(format!(
                        "look at `kubectl describe node {node}` and at the logs of kubelet and containerd on it"
                    ));
            finding.evidence = seen.to_vec();
            finding
        };
        wait::until(&wait::Limit::of(step, env), env, CLIENT, || self.probe(env), late).await
    }
}

/// The version that a node's kubelet tells. One that cannot be read is an error, since "other than wanted" would set off a run.
fn kubelet_version(node: &NodeName, seen: &KubeNode) -> Result<Version, ClientError> {
    let unreadable =
        |error: VersionError| unseen(CLIENT, format!("reading the kubelet's version on {node}"), &error.to_string());
    seen.version.parse().map_err(unreadable)
}
