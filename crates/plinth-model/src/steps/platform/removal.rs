//! `platform.removal`.

use crate::Stage;
use crate::installed::{InstalledChange, Parts};
use crate::steps::{
    Effect, Lane, Properties, StepParams, Undo,
    deadlines::{self, Deadline},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// These parts of a component, which plinth installed and the site no longer wants, are gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRemoval {
    /// Releases and objects of the component that have to be gone.
    pub parts: Parts,
    /// How long helm may wait for each release to be gone, seconds.
    pub timeout_s: u32,
    /// What is lost by it, in words.
    pub loses: String,
    /// Where it belongs: with the platform, or with Run:ai.
    #[serde(default = "Stage::platform", skip_serializing_if = "Stage::is_platform")]
    pub stage: Stage,
}

impl StepParams for ComponentRemoval {
    // Needs a majority? No. The API server itself refuses to write without a majority, and what is gone already is not removed again.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: true,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("Switched on again it is installed again; what went with it is not brought back."),
        expected_s: 60,
        deadline: Deadline {
            why: &[deadlines::why::HELM_UNINSTALL, deadlines::why::HELM_RUN, deadlines::why::RELEASE_MARGIN],
            moved_by: Some("it grows with the number of releases"),
            ..deadlines::of::RELEASE_MARGIN
        },
    };

    fn deadline(&self) -> Deadline {
        // Objects are waited for as long as one release, then each release has its own time, and helm takes some beside.
        let releases = u32::try_from(self.parts.releases.len()).unwrap_or(u32::MAX);
        let helm = self.timeout_s.saturating_add(deadlines::HELM_RUN).saturating_mul(releases);
        Deadline {
            seconds: helm.saturating_add(self.timeout_s).saturating_add(Self::PROPERTIES.deadline.seconds),
            ..Self::PROPERTIES.deadline
        }
    }

    fn stage(&self) -> Stage {
        self.stage
    }

    fn destroys(&self) -> Option<String> {
        Some(self.loses.clone())
    }

    fn installed(&self) -> Option<InstalledChange> {
        Some(InstalledChange::Removes(self.parts.clone()))
    }
}
