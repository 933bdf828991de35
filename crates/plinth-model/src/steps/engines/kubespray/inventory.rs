//! `kubespray.inventory`.

use crate::steps::StepParams;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Inventory and variables are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayInventory {
    /// File name below the site's state directory to content.
    pub files: IndexMap<String, String>,
}

impl StepParams for KubesprayInventory {
    const READS_ONLY: bool = false;
}
