//! `platform.restart`.

use crate::Stage;
use crate::steps::{
    Effect, Lane, Properties, StepParams, Undo,
    deadlines::{self, Deadline},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every pod that reads a secret has its present content, and is ready.
///
/// A file that is mounted by sub-path, and a variable, keep the content of the pod's start (Kubernetes documentation, "Secrets": mounted
/// secrets are updated automatically, but not with subPath). Not covered: pods that nobody would start again, which are left alone, and
/// pods of Jobs, which end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRestart {
    /// Where the secret and its readers are.
    pub namespace: String,
    /// Name of the secret whose content changed.
    pub secret: String,
    /// Programs read it when they start, also where its files follow: bundles of authorities.
    pub read_at_start: bool,
    /// How long the pods may take to be ready again, seconds.
    pub timeout_s: u32,
}

impl StepParams for SecretRestart {
    // Needs a majority? No. The API server itself refuses to write without a majority; a rollout that began goes on by itself.
    const PROPERTIES: Properties = Properties {
        stage: Stage::Platform,
        effect: Effect::Changes,
        lane: Lane::Free,
        needs_quorum: false,
        destructive: true,
        interrupts_member: false,
        once: false,
        undo: Undo::Compensate("There is nothing to take back: the pods run the same program as before."),
        expected_s: 120,
        deadline: Deadline { moved_by: deadlines::TIMEOUT, ..deadlines::of::RELEASE_MARGIN },
    };

    fn deadline(&self) -> Deadline {
        Deadline {
            seconds: self.timeout_s.saturating_add(Self::PROPERTIES.deadline.seconds),
            ..Self::PROPERTIES.deadline
        }
    }

    fn destroys(&self) -> Option<String> {
        let Self { namespace, secret, .. } = self;
        Some(format!(
            "pods of {namespace} that read secret {secret} are restarted, workload by workload as their own strategies say; who has one replica is away meanwhile"
        ))
    }
}
