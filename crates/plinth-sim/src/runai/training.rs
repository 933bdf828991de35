//! A training of a simulated control plane, and what its scheduler says of every one.

use serde_json::{Value, json};

#[derive(Clone)]
pub(super) struct Training {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) project: String,
    pub(super) cluster: String,
    /// As it was sent.
    pub(super) spec: Value,
}

/// What the scheduler says of every training: its phase, and why.
#[derive(Clone)]
pub(super) struct Scheduled {
    pub(super) phase: String,
    pub(super) message: String,
}

impl Default for Scheduled {
    fn default() -> Self {
        Self { phase: "Running".to_owned(), message: String::new() }
    }
}

impl Training {
    pub(super) fn json(&self, said: &Scheduled) -> Value {
        let mut one = json!({
            "id": self.id, "name": self.name, "projectId": self.project, "clusterId": self.cluster,
            "type": "Training", "phase": said.phase, "k8sPhase": said.phase, "conditions": [], "inventedLater": 1,
        });
        if !said.message.is_empty() {
            one["phaseMessage"] = json!(said.message);
            one["conditions"] = json!([{"type": "Scheduled", "status": "False", "message": said.message}]);
        }
        one
    }
}
