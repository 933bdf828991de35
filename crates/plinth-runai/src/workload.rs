//! Small trainings that prove something.
//!
//! Source: API descriptions in the vendor's client, 2.18 to 2.24: `POST /api/v1/workloads/trainings` answers 202 with `workloadId`,
//! `GET /api/v1/workloads/ID` has `phase`, `phaseMessage` and `conditions`, the list of workloads is filtered by `filterBy`.

use crate::failure::{Cause, Failure};
use crate::link::Body;
use crate::session::Session;
use plinth_model::steps::RunaiTarget;
use plinth_world::Context;
use plinth_world::runai::{RunaiTraining, RunaiWorkload};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Seconds after which Run:ai removes a training that has ended, also when nobody asks for it.
const KEPT_S: u32 = 60;
/// Most workloads that are read of one name.
const MOST: usize = 50;

/// What a training is answered with when it is started.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    workload_id: Uuid,
    #[serde(default)]
    actual_phase: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    workloads: Vec<Workload>,
}

/// One workload. All but the id is told and decides nothing else, so that another form of it is no failure.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Workload {
    id: Uuid,
    #[serde(default)]
    name: String,
    #[serde(default)]
    project_id: Value,
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    phase_message: Option<String>,
    #[serde(default)]
    conditions: Value,
}

/// Calls about workloads.
pub(crate) struct Workloads<'a> {
    pub(crate) session: &'a Session,
    pub(crate) ctx: &'a Context,
    pub(crate) target: &'a RunaiTarget,
}

impl Workloads<'_> {
    /// Starts it. Sent once: a second one of the name would be refused, and that would hide that the first was started.
    pub(crate) async fn start(
        &self,
        (uuid, project): (&str, &str),
        training: &RunaiTraining,
    ) -> Result<RunaiWorkload, Failure> {
        let body = Body::Json(body(uuid, project, training).to_string());
        let answer = self.session.call(self.ctx, Method::POST, &self.target.api.trainings, &body).await?;
        let started: Started = answer.decode()?;
        let phase = self.quoted(started.actual_phase.as_deref().unwrap_or("Creating"));
        Ok(RunaiWorkload { id: started.workload_id.to_string(), phase, said: Vec::new() })
    }

    /// Those of exactly this name.
    pub(crate) async fn named(&self, project: &str, name: &str) -> Result<Vec<RunaiWorkload>, Failure> {
        let filter = form_urlencoded::Serializer::new(String::new())
            .append_pair("filterBy", &format!("name=={name}"))
            .append_pair("limit", &MOST.to_string())
            .finish();
        let page: Page = self.session.read(self.ctx, &format!("{}?{filter}", self.target.api.workloads)).await?;
        // Whoever does not know the filter answers with all.
        let ours = |one: &Workload| one.name == name && is(&one.project_id, project);
        Ok(page.workloads.iter().filter(|one| ours(one)).map(|one| self.seen(one)).collect())
    }

    pub(crate) async fn one(&self, id: &str) -> Result<Option<RunaiWorkload>, Failure> {
        let path = format!("{}/{}", self.target.api.workloads, parsed(id)?);
        match self.session.read::<Workload>(self.ctx, &path).await {
            Ok(found) => Ok(Some(self.seen(&found))),
            Err(failure) if failure.cause == Cause::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Asks for its removal.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), Failure> {
        let path = format!("{}/{}", self.target.api.trainings, parsed(id)?);
        let once = || async { self.session.call(self.ctx, Method::DELETE, &path, &Body::Empty).await.map(drop) };
        match self.session.patiently(self.ctx, once).await {
            Err(failure) if failure.cause == Cause::NotFound => Ok(()),
            other => other,
        }
    }

    fn seen(&self, found: &Workload) -> RunaiWorkload {
        let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let conditions = found.conditions.as_array().into_iter().flatten();
        let telling = conditions.filter(|one| !text(one, "message").is_empty());
        let lines =
            telling.map(|one| format!("{} {}: {}", text(one, "type"), text(one, "status"), text(one, "message")));
        let message = found.phase_message.clone().filter(|message| !message.is_empty());
        let mut said: Vec<String> = message.into_iter().chain(lines).map(|line| self.quoted(&line)).collect();
        said.dedup();
        let phase = self.quoted(found.phase.as_deref().unwrap_or("Unknown"));
        RunaiWorkload { id: found.id.to_string(), phase, said }
    }

    fn quoted(&self, text: &str) -> String {
        self.session.link.quote(text)
    }
}

fn parsed(id: &str) -> Result<Uuid, Failure> {
    id.parse().map_err(|_| Failure::new(Cause::BadAnswer, "the id of the workload is no UUID"))
}

/// An id is a text, or a number in older releases.
fn is(value: &Value, id: &str) -> bool {
    value.as_str() == Some(id) || value.as_u64().is_some_and(|number| id.parse() == Ok(number))
}

/// Fields that every release from 2.18 knows.
fn body(uuid: &str, project: &str, training: &RunaiTraining) -> Value {
    let mut compute = json!({"cpuCoreRequest": 0.1, "cpuMemoryRequest": "64M"});
    if training.gpus > 0 {
        compute["gpuDevicesRequest"] = json!(training.gpus);
        compute["gpuRequestType"] = json!("portion");
        compute["gpuPortionRequest"] = json!(1);
    }
    json!({
        "name": training.name,
        "projectId": project,
        "clusterId": uuid,
        "spec": {
            "image": training.image,
            "command": "sh",
            "args": format!("-c '{}'", training.script.replace('\'', r"'\''")),
            "compute": compute,
            "backoffLimit": 0,
            "autoDeletionTimeAfterCompletionSeconds": KEPT_S,
        },
    })
}
