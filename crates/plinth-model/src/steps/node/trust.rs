//! `node.trust`.

use crate::steps::{Effect, Lane, NodeTarget, Properties, StepParams, Undo, deadlines};
use crate::{NodeName, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The host key that a person compared is the pinned one, whatever was pinned before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTrust {
    /// Node, with the first-contact login.
    pub target: NodeTarget,
    /// `ssh-ed25519`.
    pub algorithm: String,
    /// `SHA256:...` as OpenSSH prints it.
    pub fingerprint: String,
}

impl StepParams for NodeTrust {
    const PROPERTIES: Properties = Properties {
        stage: Stage::Nodes,
        effect: Effect::Changes,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::OneWay(
            "The key that was pinned before is believed no more. It is in the journal; `plinth trust` pins another one.",
        ),
        expected_s: 2,
        deadline: deadlines::of::NODE_CONNECT,
    };

    fn node(&self) -> Option<&NodeName> {
        Some(&self.target.node)
    }
}
