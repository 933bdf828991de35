//! `kubespray.removal`.

use crate::steps::{Effect, KubesprayRelease, Lane, NodeTarget, Properties, Removal, RunInputs, StepParams};
use crate::{InstalledChange, NodeName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kubernetes left these hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRemoval {
    /// Release.
    pub release: KubesprayRelease,
    /// All hosts of the inventory, as the account reaches them.
    pub targets: Vec<NodeTarget>,
    /// Which leave.
    pub removal: Removal,
    /// What the written files are, in parts.
    pub parts: RunInputs,
}

impl StepParams for KubesprayRemoval {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Exclusive("engine"),
        needs_quorum: true,
        destructive: true,
        interrupts_member: false,
        once: false,
        expected_s: 300,
    };

    /// Workers leave through the API, which a majority must serve: they are drained and deleted there. Taking the whole cluster away
    /// ends it, so nothing is left that a majority could decide.
    fn needs_quorum(&self) -> bool {
        match &self.removal {
            Removal::All => false,
            Removal::Nodes { .. } => Self::PROPERTIES.needs_quorum,
        }
    }

    fn members(&self) -> Vec<&NodeName> {
        self.parts.members()
    }

    fn changes_on(&self, node: &NodeName) -> bool {
        self.removal.takes(node) && self.parts.hosts.contains_key(node)
    }

    fn installed(&self) -> Option<InstalledChange> {
        matches!(self.removal, Removal::All).then_some(InstalledChange::Clears)
    }
}
