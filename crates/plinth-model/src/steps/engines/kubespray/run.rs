//! `kubespray.run`.

use crate::NodeName;
use crate::steps::{Effect, KubesprayRelease, Lane, NodeTarget, Properties, RunInputs, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// cluster.yml ran to its end on every host, with this release and these files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRun {
    /// Release.
    pub release: KubesprayRelease,
    /// Hosts, as the account reaches them. Each must appear in the final statistics without failure.
    pub targets: Vec<NodeTarget>,
    /// Inventory and variables in parts, which decide what is run.
    pub parts: RunInputs,
    /// Workers of the site that this run leaves alone: they are in none of the parts, and have not left the cluster either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<NodeName>,
}

impl StepParams for KubesprayRun {
    // Needs a majority? Yes. It makes etcd, or restarts its members one by one: with half of them lost it would build a cluster that cannot decide, or
    // stop the last one that can.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Exclusive("engine"),
        needs_quorum: true,
        destructive: true,
        interrupts_member: false,
        once: false,
        expected_s: 900,
    };

    fn members(&self) -> Vec<&NodeName> {
        self.parts.members()
    }

    fn changes_on(&self, node: &NodeName) -> bool {
        self.parts.hosts.contains_key(node)
    }
}
