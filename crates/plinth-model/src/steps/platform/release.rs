//! `platform.release`.

use crate::Stage;
use crate::installed::{InstalledChange, Parts, ReleaseName};
use crate::steps::{
    Effect, FreeText, Lane, Properties, Release, StepParams, Undo,
    deadlines::{self, Deadline},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The release is deployed with this chart, version and values, and is healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRelease {
    /// Complete: nothing of the catalog or the site is looked up when it is installed.
    pub release: Box<Release>,
    /// Where it belongs: with the platform, or with Run:ai.
    #[serde(default = "Stage::platform", skip_serializing_if = "Stage::is_platform")]
    pub stage: Stage,
}

impl StepParams for HelmRelease {
    // Needs a majority? No. The API server itself refuses to write without a majority, and helm takes up a release that was broken off.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate(
            "helm rollback to the revision before, or helm uninstall; custom resource definitions and volumes may stay.",
        ),
        expected_s: 180,
        deadline: Deadline {
            seconds: deadlines::RELEASE_BEFORE + 2 * deadlines::HELM_RUN + deadlines::RELEASE_MARGIN,
            why: &[deadlines::why::RELEASE_BEFORE, deadlines::why::HELM_RUN, deadlines::why::RELEASE_MARGIN],
            moved_by: deadlines::TIMEOUT,
        },
    };

    fn stage(&self) -> Stage {
        self.stage
    }

    /// All that it may contain, one after the other: an uninstallation that was broken off is brought to its end, helm waits for hooks, then
    /// the step waits until it works; each for as long as the release is given.
    fn deadline(&self) -> Deadline {
        Deadline {
            seconds: self.release.timeout_s.saturating_mul(3).saturating_add(Self::PROPERTIES.deadline.seconds),
            ..Self::PROPERTIES.deadline
        }
    }

    fn free_text(&self) -> Vec<FreeText<'_>> {
        vec![FreeText::Json("values", &self.release.values)]
    }

    fn installed(&self) -> Option<InstalledChange> {
        let Release { component, release, namespace, remove_first, .. } = &*self.release;
        let name = ReleaseName { namespace: namespace.clone(), name: release.clone() };
        let objects = remove_first.iter().cloned().collect();
        let parts = Parts { component: component.clone(), releases: [name].into(), objects };
        Some(InstalledChange::Brings(parts))
    }
}
