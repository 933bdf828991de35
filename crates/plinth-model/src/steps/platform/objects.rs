//! `platform.objects`.

use crate::Stage;
use crate::installed::{InstalledChange, ObjectName, Parts};
use crate::steps::{
    Effect, FreeText, Health, Lane, Properties, StepParams, Undo, UpgradePath,
    deadlines::{self, Deadline},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Objects beside a release exist as wanted, and are healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjects {
    /// Component they belong to.
    pub component: String,
    /// Complete manifests, applied together.
    pub objects: Vec<Value>,
    /// What proves that they work.
    pub health: Vec<Health>,
    /// How long they may take to become healthy, seconds.
    pub timeout_s: u32,
    /// Where it belongs: with the platform, or with Run:ai.
    #[serde(default = "Stage::platform", skip_serializing_if = "Stage::is_platform")]
    pub stage: Stage,
    /// One of them moves by one minor at a time: it goes over the versions between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade_path: Option<Box<UpgradePath>>,
}

impl StepParams for KubeObjects {
    // Needs a majority? No. The API server itself refuses to write without a majority; what was applied before is applied again.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Exact("The objects are removed."),
        expected_s: 60,
        deadline: Deadline { moved_by: deadlines::TIMEOUT, ..deadlines::of::RELEASE_MARGIN },
    };

    fn stage(&self) -> Stage {
        self.stage
    }

    // Each version between may take as long as the last, its own margin included.
    fn deadline(&self) -> Deadline {
        let between = self.upgrade_path.as_ref().map_or(0, |upgrade_path| upgrade_path.carried.len().saturating_sub(1));
        let times = u32::try_from(between).unwrap_or(u32::MAX).saturating_add(1);
        Deadline {
            seconds: self.timeout_s.saturating_add(Self::PROPERTIES.deadline.seconds).saturating_mul(times),
            ..Self::PROPERTIES.deadline
        }
    }

    fn free_text(&self) -> Vec<FreeText<'_>> {
        self.objects.iter().map(|object| FreeText::Json("objects", object)).collect()
    }

    fn installed(&self) -> Option<InstalledChange> {
        let objects = self.objects.iter().filter_map(ObjectName::of).collect();
        Some(InstalledChange::Brings(Parts { component: self.component.clone(), objects, ..Parts::default() }))
    }
}
