//! `platform.release`.

use crate::installed::{InstalledChange, Parts, ReleaseName};
use crate::steps::{Effect, FreeText, Lane, Properties, Release, StepParams};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The release is deployed with this chart, version and values, and is healthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRelease {
    /// Release.
    pub release: Box<Release>,
}

impl StepParams for HelmRelease {
    // Needs a majority? No. The API server itself refuses to write without a majority, and helm takes up a release that was broken off.
    const PROPERTIES: Properties = Properties {
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: false,
        interrupts_member: false,
        once: false,
        expected_s: 180,
    };

    fn free_text(&self) -> Vec<FreeText<'_>> {
        vec![FreeText::Json("values", &self.release.values)]
    }

    fn installed(&self) -> Option<InstalledChange> {
        let Release { component, release, namespace, .. } = &*self.release;
        let name = ReleaseName { namespace: namespace.clone(), name: release.clone() };
        let parts = Parts { component: component.clone(), releases: [name].into(), ..Parts::default() };
        Some(InstalledChange::Brings(parts))
    }
}
