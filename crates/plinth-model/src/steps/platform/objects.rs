//! `platform.objects`.

use crate::installed::{InstalledChange, ObjectName, Parts};
use crate::steps::{Effect, FreeText, Health, Lane, Properties, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Objects beside a release exist as wanted, and are healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjects {
    /// Component they belong to.
    pub component: String,
    /// Manifests.
    pub objects: Vec<Value>,
    /// What proves that they work.
    pub health: Vec<Health>,
}

impl StepParams for KubeObjects {
    // Needs a majority? No. The API server itself refuses to write without a majority; what was applied before is applied again.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 60,
    };

    fn free_text(&self) -> Vec<FreeText<'_>> {
        self.objects.iter().map(|object| FreeText::Json("objects", object)).collect()
    }

    fn installed(&self) -> Option<InstalledChange> {
        let objects = self.objects.iter().filter_map(ObjectName::of).collect();
        Some(InstalledChange::Brings(Parts { component: self.component.clone(), objects, ..Parts::default() }))
    }
}
