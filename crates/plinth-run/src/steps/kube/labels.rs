//! Labels and taints of a node.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{amount, compared};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::NodeLabels;
use plinth_world::ClientError;

impl StepKind for NodeLabels {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeLabels::KIND,
        title: "The node carries its labels and taints.",
        probe: "Compares the wanted ones; others do not matter.",
        act: "Adds or changes the wanted ones, leaves others alone.",
        undo: "The labels and taints are removed.",
    };

    /// Wanted labels and taints are there; others are left alone.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { node, labels, taints } = self;
        let seen = env.clients.kube.node(&env.ctx, node).await?.unwrap_or_default();
        let label = |(key, value): (&String, &String)| match seen.labels.get(key) {
            Some(present) if present == value => None,
            Some(present) => Some(format!("~ label {key}: {present} → {value}")),
            None => Some(format!("+ label {key}={value}")),
        };
        let missing_taints = taints.iter().filter(|t| !seen.taints.contains(t)).map(|t| format!("+ taint {t}"));
        let differences = labels.iter().filter_map(label).chain(missing_taints).collect();
        Ok(compared(differences, || format!("{} there", counted(self))))
    }

    /// Adds labels and taints.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { node, labels, taints } = self;
        env.clients.kube.label_node(&env.ctx, node, labels, taints).await?;
        Ok(format!("{} set", counted(self)))
    }
}

/// What it asks for, counted; what it does not ask for is not named.
fn counted(wanted: &NodeLabels) -> String {
    let parts = [(wanted.labels.len(), "label"), (wanted.taints.len(), "taint")];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| amount(*n, noun)).collect();
    if told.is_empty() { "no label".to_owned() } else { told.join(" and ") }
}
