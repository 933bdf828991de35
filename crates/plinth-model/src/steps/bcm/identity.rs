//! `bcm.identity`.

use crate::steps::StepParams;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The head nodes that answer are the ones the inventory came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BcmIdentity {
    /// Endpoint.
    pub endpoint: String,
    /// Entity ids of the head nodes.
    pub head_nodes: Vec<String>,
}

impl StepParams for BcmIdentity {
    const READS_ONLY: bool = true;
}
