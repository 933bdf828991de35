//! Trainings of a simulated control plane, and what its scheduler says of them.

use super::plane::Plane;
use super::reply::Reply;
use super::training::Training;
use serde_json::{Value, json};
use uuid::Uuid;

impl Plane {
    /// Starts one; a used name is a conflict.
    pub(super) fn start(&self, body: &[u8]) -> Reply {
        let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else {
            return Reply::refused(400, "request body has an error: not an object");
        };
        let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        for key in ["name", "projectId", "clusterId"] {
            if text(key).is_empty() {
                return Reply::refused(400, &format!("property \"{key}\" is missing"));
            }
        }
        let spec = fields.get("spec").cloned().unwrap_or_default();
        if spec.get("image").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Reply::refused(400, "property \"image\" is missing");
        }
        if !self.has_project(&text("projectId"), &text("clusterId")) {
            return Reply::refused(404, "project not found");
        }
        let mut held = self.held();
        let training = Training {
            id: Uuid::new_v4().to_string(),
            name: text("name"),
            project: text("projectId"),
            cluster: text("clusterId"),
            spec,
        };
        if held.trainings.iter().any(|one| one.name == training.name && one.project == training.project) {
            return Reply::refused(409, "Workload with this name already exists");
        }
        let answer = json!({
            "workloadId": training.id, "name": training.name, "requestedName": training.name,
            "projectId": training.project, "clusterId": training.cluster, "createdBy": self.setup.admin,
            "desiredPhase": "Running", "actualPhase": "Creating", "spec": training.spec,
        });
        held.trainings.push(training);
        Reply::json(202, &answer)
    }

    /// All workloads, or those of one name.
    pub(super) fn workloads(&self, filter: Option<&str>) -> Reply {
        let name = filter.and_then(|filter| filter.strip_prefix("name=="));
        let held = self.held();
        let wanted = held.trainings.iter().filter(|one| name.is_none_or(|name| one.name == name));
        let all: Vec<Value> = wanted.map(|one| one.json(&held.scheduled)).collect();
        Reply::json(200, &json!({"workloads": all, "next": all.len()}))
    }

    pub(super) fn workload(&self, id: &str) -> Reply {
        let held = self.held();
        match held.trainings.iter().find(|one| one.id == id) {
            Some(one) => Reply::json(200, &one.json(&held.scheduled)),
            None => Reply::refused(404, "workload not found"),
        }
    }

    pub(super) fn end(&self, id: &str) -> Reply {
        let mut held = self.held();
        let before = held.trainings.len();
        held.trainings.retain(|one| one.id != id);
        if held.trainings.len() == before {
            Reply::refused(404, "training not found")
        } else {
            Reply::json(202, &json!({}))
        }
    }
}
