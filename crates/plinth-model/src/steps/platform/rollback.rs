//! `platform.rollback`.

use crate::installed::{InstalledChange, Parts, ReleaseName};
use crate::steps::{
    Effect, Health, Lane, Properties, StepParams, Undo,
    deadlines::{self, Deadline},
};
use crate::{Stage, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The release is what an earlier revision of it was: chart, version, values; and it works. Somebody asked for that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRollback {
    /// Name in the catalog, by which people asked for it.
    pub component: String,
    /// By helm's name; its revisions are counted in there.
    pub release: ReleaseName,
    /// The revision that it goes back to, which worked.
    pub to: u32,
    /// Chart version of that revision.
    pub version: Version,
    /// How long helm may wait, and then the step, seconds.
    pub timeout_s: u32,
    /// What proves that it works.
    pub health: Vec<Health>,
    /// Where it belongs: with the platform, or with Run:ai.
    #[serde(default = "Stage::platform", skip_serializing_if = "Stage::is_platform")]
    pub stage: Stage,
}

impl StepParams for HelmRollback {
    // Needs a majority? No. The API server itself refuses to write without a majority, and helm takes up a release that was broken off.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: true,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("`plinth apply` installs what the site file says."),
        expected_s: 120,
        deadline: Deadline {
            seconds: 2 * deadlines::RELEASE_MARGIN + deadlines::HELM_RUN,
            why: &[deadlines::why::HELM_RUN, deadlines::why::RELEASE_MARGIN],
            moved_by: deadlines::TIMEOUT,
        },
    };

    fn stage(&self) -> Stage {
        self.stage
    }

    /// Helm waits for hooks, then the step waits until it works; each for as long as the release is given.
    fn deadline(&self) -> Deadline {
        Deadline {
            seconds: self.timeout_s.saturating_mul(2).saturating_add(Self::PROPERTIES.deadline.seconds),
            ..Self::PROPERTIES.deadline
        }
    }

    fn destroys(&self) -> Option<String> {
        Some(format!(
            "{} goes back to chart {} with the values of that time: what the newer revision made and the older has not is removed; data that was changed by the newer program stays as it is",
            self.release, self.version
        ))
    }

    fn installed(&self) -> Option<InstalledChange> {
        let Self { component, release, .. } = self;
        let parts = Parts { component: component.clone(), releases: [release.clone()].into(), ..Parts::default() };
        Some(InstalledChange::Brings(parts))
    }
}
