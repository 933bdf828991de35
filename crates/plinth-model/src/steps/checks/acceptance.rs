//! `check`.

use crate::steps::{Check, StepParams};
use crate::{NodeName, SiteName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An acceptance check holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptanceCheck {
    /// Check.
    pub check: Check,
    /// Site, for messages.
    pub site: SiteName,
}

impl StepParams for AcceptanceCheck {
    const READS_ONLY: bool = false;

    fn node(&self) -> Option<&NodeName> {
        self.check.node()
    }
}
