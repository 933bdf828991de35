//! `kubespray.inventory`.

use crate::Stage;
use crate::steps::{Effect, FreeText, Lane, Properties, StepParams, Undo, deadlines};
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
    const PROPERTIES: Properties = Properties {
        stage: Stage::Kubernetes,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The files are removed."),
        expected_s: 1,
        deadline: deadlines::of::LOCAL_FILES,
    };

    fn free_text(&self) -> Vec<FreeText<'_>> {
        self.files.values().map(|text| FreeText::JsonFile(text)).collect()
    }
}
