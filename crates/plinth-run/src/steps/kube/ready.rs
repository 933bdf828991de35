//! The node as Kubernetes sees it.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{compared, todo};
use crate::steps::{Explanation, StepKind, wait};
use plinth_model::finding::code;
use plinth_model::steps::NodeReady;
use plinth_model::{Finding, Step, Version};
use plinth_world::ClientError;

const CLIENT: &str = "kube";

impl StepKind for NodeReady {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeReady::KIND,
        title: "The node is Ready and runs the planned version.",
        probe: "Reads the node's condition and its kubelet version.",
        act: "Waits, looking every ten seconds, until its deadline.",
        undo: Explanation::NOTHING_TO_UNDO,
    };

    /// The node is Ready and runs this version.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { node, version } = self;
        let seen = match env.clients.kube.node(&env.ctx, node).await? {
            Some(seen) => seen,
            None => return todo(format!("! Kubernetes does not know node {node} yet")),
        };
        let mut differences = Vec::new();
        if !same_version(&seen.version, version) {
            differences.push(format!("~ version {} → {version}", seen.version));
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

fn same_version(seen: &str, wanted: &str) -> bool {
    match (seen.parse::<Version>(), wanted.parse::<Version>()) {
        (Ok(seen), Ok(wanted)) => seen == wanted,
        _ => seen == wanted,
    }
}
