//! Labels and taints of a node.

use crate::behaviour::{Probed, StepEnv};
use crate::steps::outcome::{amounts, compared};
use crate::steps::{Explanation, StepKind};
use plinth_model::Step;
use plinth_model::steps::NodeLabels;
use plinth_world::ClientError;
use plinth_world::kube::taint_name;
use std::collections::BTreeSet;

impl StepKind for NodeLabels {
    const EXPLANATION: Explanation = Explanation {
        kind: NodeLabels::KIND,
        title: "The node carries its labels and taints.",
        probe: "Compares the wanted ones, and looks for those that plinth set before and that are no longer wanted: labels by their owner in the API, taints by the node's annotation plinth.dev/managed-taints. Others do not matter.",
        act: "Adds or changes the wanted ones, takes away its own that are no longer wanted, leaves those of others alone.",
    };

    /// Wanted labels and taints are there, and none of ours beside them; others are left alone.
    async fn probe(&self, env: &StepEnv) -> Result<Probed, ClientError> {
        let Self { node, labels, taints } = self;
        let seen = env.node(node).await?.unwrap_or_default();
        let label = |(key, value): (&String, &String)| match seen.labels.get(key) {
            Some(present) if present == value => None,
            Some(present) => Some(format!("~ label {key}: {present} → {value}")),
            None => Some(format!("+ label {key}={value}")),
        };
        let missing_taints = taints.iter().filter(|t| !seen.taints.contains(t)).map(|t| format!("+ taint {t}"));
        let dropped =
            seen.own_labels.iter().filter(|key| !labels.contains_key(*key)).map(|key| format!("- label {key}"));
        let wanted: BTreeSet<String> = taints.iter().map(|taint| taint_name(taint)).collect();
        let dropped = dropped.chain(seen.own_taints.difference(&wanted).map(|taint| format!("- taint {taint}")));
        let differences = labels.iter().filter_map(label).chain(missing_taints).chain(dropped).collect();
        Ok(compared(differences, || format!("{} there", amounts([(labels.len(), "label"), (taints.len(), "taint")]))))
    }

    /// Sets labels and taints.
    async fn act(&self, _: &Step, env: &StepEnv) -> Result<String, ClientError> {
        let Self { node, labels, taints } = self;
        env.clients.kube.label_node(&env.ctx, node, labels, taints).await?;
        Ok(format!("{} set", amounts([(labels.len(), "label"), (taints.len(), "taint")])))
    }
}
