//! `check`.

use crate::NodeName;
use crate::steps::{Check, Effect, Lane, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An acceptance check holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptanceCheck {
    /// Check.
    pub check: Check,
}

impl StepParams for AcceptanceCheck {
    const PROPERTIES: Properties = Properties {
        effect: Effect::Proves,
        lane: Lane::Node,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 30,
    };

    fn node(&self) -> Option<&NodeName> {
        self.check.node()
    }
}
