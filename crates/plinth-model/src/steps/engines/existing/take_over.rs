//! `existing.take-over`.

use crate::Version;
use crate::steps::StepParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kubeconfig that the site names works, a copy of it is in the state directory (0600), and the site's record says which cluster that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TakeOver {
    /// The kubeconfig, as the site file names it. It is read and never changed.
    pub file: String,
    /// Version that the server must be of; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

impl StepParams for TakeOver {
    const READS_ONLY: bool = false;
}
