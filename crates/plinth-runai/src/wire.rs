//! What the control plane answers: strict in what is needed, indifferent to the rest.

use crate::failure::{Cause, Failure};
use plinth_model::steps::ClusterCredential;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The condition that says that the cluster part works.
const AVAILABLE: &str = "Available";

fn with_reason(what: String, why: &str) -> String {
    if why.is_empty() { what } else { format!("{what}: {why}") }
}

/// A reason is a text, or an object that holds one.
fn in_words(reason: &Value) -> String {
    reason.as_str().map_or_else(|| reason.to_string(), str::to_owned)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    /// It becomes part of paths, so it must be one.
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    #[serde(default)]
    deleted_at: Option<Value>,
    /// When the last report of the cluster part came. Told and compared with itself, never read as a time.
    #[serde(default)]
    last_liveness: Option<Value>,
    /// May be null.
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    dependencies: Option<Dependencies>,
    /// These two are told and decide nothing, so that another form of them is no failure.
    #[serde(default)]
    conditions: Value,
    #[serde(default)]
    operands: Value,
}

#[derive(Default, Deserialize)]
struct Dependencies {
    #[serde(default)]
    required: Option<BTreeMap<String, Dependency>>,
}

#[derive(Deserialize)]
struct Dependency {
    available: bool,
    #[serde(default)]
    reason: Option<String>,
}

impl Cluster {
    /// Whether it is still there.
    pub(crate) fn is_there(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// When its last report came, as it is written; none: not said.
    pub(crate) fn reported(&self) -> Option<&str> {
        self.last_liveness.as_ref().and_then(Value::as_str)
    }

    /// As the control plane names it; `Unknown` when it does not say.
    pub(crate) fn state(&self) -> &str {
        self.status.as_ref().and_then(|status| status.state.as_deref()).unwrap_or("Unknown")
    }

    /// The condition `Available` when it does not hold, and parts that are not ready.
    pub(crate) fn unwell(&self) -> Vec<String> {
        let Some(status) = &self.status else { return Vec::new() };
        let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let conditions = status.conditions.as_array().into_iter().flatten();
        let fails = |one: &&Value| text(one, "type") == AVAILABLE && text(one, "status") == "False";
        let conditions = conditions.filter(fails).map(|one| {
            let why = [text(one, "message"), text(one, "reason")].into_iter().find(|why| !why.is_empty());
            with_reason(format!("condition {AVAILABLE} does not hold"), &why.unwrap_or_default())
        });
        let parts = status.operands.as_object().into_iter().flatten();
        let parts = parts.filter(|(_, part)| part.get("ready") == Some(&Value::Bool(false))).map(|(name, part)| {
            let reasons = part.get("reasons").and_then(Value::as_array).into_iter().flatten();
            with_reason(format!("{name} is not ready"), &reasons.map(in_words).collect::<Vec<_>>().join("; "))
        });
        conditions.chain(parts).collect()
    }

    /// Required dependencies that are missing, with the reason where there is one.
    pub(crate) fn missing(&self) -> Vec<(String, Option<String>)> {
        let required = self.status.as_ref().and_then(|status| status.dependencies.as_ref()?.required.as_ref());
        let missing = required.into_iter().flatten().filter(|(_, dependency)| !dependency.available);
        missing.map(|(name, one)| (name.clone(), one.reason.clone().filter(|reason| !reason.is_empty()))).collect()
    }
}

/// A page of nodes: a bare list, or one with the place at which the next page begins.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum NodePage {
    /// All at once.
    All(Vec<Node>),
    Page {
        nodes: Vec<Node>,
        /// `offset` of the next page.
        #[serde(default)]
        next: Option<u64>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    pub(crate) name: String,
    #[serde(default)]
    gpu_info: Option<GpuInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GpuInfo {
    #[serde(default)]
    gpu_count: Option<f64>,
}

impl Node {
    /// Whether the control plane counts a GPU there.
    pub(crate) fn has_gpus(&self) -> bool {
        self.gpu_info.as_ref().and_then(|info| info.gpu_count).is_some_and(|count| count > 0.0)
    }
}

/// The issuer document, of which nothing else is needed.
#[derive(Deserialize)]
pub(crate) struct Discovery {
    pub(crate) issuer: String,
}

/// The credential in what the control plane tells about installing the cluster part; it may not be there yet right after the
/// registration. A control plane elsewhere has a release of its own, so that either kind is taken there; the wanted one first.
pub(crate) fn credential(
    info: &Value,
    uuid: Uuid,
    kind: ClusterCredential,
    is_here: bool,
) -> Result<(ClusterCredential, String), Failure> {
    let text = |key: &str| info.get(key).and_then(Value::as_str).unwrap_or_default();
    let installation = text("installationStr");
    if let Some(other) = named_cluster(installation).filter(|other| *other != uuid) {
        let happened = format!("cluster {uuid} was asked for, and the answer is about cluster {other}");
        return Err(Failure::new(Cause::BadAnswer, happened));
    }
    let given = text(kind.field());
    if !given.is_empty() {
        return Ok((kind, given.to_owned()));
    }
    let other = kind.other();
    let given = text(other.field());
    if !given.is_empty() && !is_here {
        return Ok((other, given.to_owned()));
    }
    if !given.is_empty() {
        let happened =
            format!("the control plane gives a {}, and its release was said to give a {}", other.field(), kind.field());
        return Err(Failure::new(Cause::OtherCredential, happened));
    }
    Err(Failure::new(Cause::Unfinished, format!("the answer has no {} yet", kind.field())))
}

/// Where the control plane says that the charts of the cluster part are; none where it says nothing.
pub(crate) fn charts(info: &Value) -> Option<String> {
    info.get("chartRepoURL").and_then(Value::as_str).filter(|place| !place.is_empty()).map(str::to_owned)
}

/// The cluster that `--set cluster.uid=..` of the command names.
fn named_cluster(installation: &str) -> Option<Uuid> {
    let (_, behind) = installation.split_once("cluster.uid=")?;
    let end = behind.find(|c: char| !(c.is_ascii_hexdigit() || c == '-')).unwrap_or(behind.len());
    behind.get(..end)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    const UUID: &str = "95a75a76-09ba-4bbe-9ff0-ae68dc0c330e";

    #[test]
    fn new_fields_are_no_matter_and_needed_ones_are() {
        let cluster: Cluster = serde_json::from_value(json!({
            "uuid": UUID, "tenantId": 7, "name": "gpu", "invented": {"later": true}, "deletedAt": null, "lastLiveness": "2026-01-01T00:00:00Z",
            "status": {"state": "MissingPrerequisites", "conditions": null, "platform": {"type": "vanilla"}, "dependencies": {
                "required": {
                    "prometheus": {"available": false, "reason": "no CRD", "components": {}},
                    "gpuOperator": {"available": false, "reason": ""},
                    "ingress": {"available": true}
                }, "optional": {"knative": {"available": false}}}}
        }))
        .unwrap();
        assert_eq!((cluster.state(), cluster.is_there()), ("MissingPrerequisites", true));
        let missing = [("gpuOperator".to_owned(), None), ("prometheus".to_owned(), Some("no CRD".to_owned()))];
        assert_eq!(cluster.missing(), missing);
        let bare: Cluster = serde_json::from_value(json!({"uuid": UUID, "name": "gpu", "status": null})).unwrap();
        assert_eq!((cluster.reported(), bare.reported()), (Some("2026-01-01T00:00:00Z"), None));
        assert_eq!((bare.state(), bare.missing()), ("Unknown", vec![]));
        for bad in [json!({"name": "gpu"}), json!({"uuid": "../x", "name": "gpu"}), json!({"uuid": UUID})] {
            assert!(serde_json::from_value::<Cluster>(bad).is_err());
        }
    }

    #[test]
    fn what_is_not_well_is_told_with_its_reasons() {
        let cluster: Cluster = serde_json::from_value(json!({"uuid": UUID, "name": "gpu", "status": {
        "state": "ServiceIssues",
        "conditions": [
            {"type": "Available", "status": "False", "reason": "NotReady", "message": "2 parts are down"},
            {"type": "Reconciled", "status": "True"}
        ],
        "operands": {
            "Scheduler": {"ready": false, "reasons": ["no pods", {"message": "image"}]}, "Engine": {"ready": true},
            "Agent": {"ready": false}
        }}}))
        .unwrap();
        let wanted = [
            "condition Available does not hold: 2 parts are down",
            r#"Scheduler is not ready: no pods; {"message":"image"}"#,
            "Agent is not ready",
        ];
        assert_eq!(cluster.unwell(), wanted);
        let other =
            json!({"uuid": UUID, "name": "gpu", "status": {"state": "Connected", "conditions": {}, "operands": [1]}});
        let other: Cluster = serde_json::from_value(other).unwrap();
        assert_eq!((other.state(), other.unwell()), ("Connected", vec![]), "another form of them decides nothing");
    }

    #[test]
    fn the_credential_is_the_wanted_one_of_the_wanted_cluster() {
        let uuid: Uuid = UUID.parse().unwrap();
        let cause = |info: Value, kind| {
            credential(&info, uuid, kind, true).map(|(_, given)| given).map_err(|failure| failure.cause)
        };
        let (secret, token) = (ClusterCredential::ClientSecret, ClusterCredential::BootstrapToken);
        let command = |uid: &str| format!("helm upgrade -i x --set cluster.uid={uid} \\\n --set a=b");
        let info = json!({"installationStr": command(UUID), "clientSecret": "s3"});
        assert_eq!(cause(info.clone(), secret), Ok("s3".to_owned()));
        assert_eq!(cause(info.clone(), token), Err(Cause::OtherCredential));
        let elsewhere = credential(&info, uuid, token, false).map_err(|failure| failure.cause);
        assert_eq!(elsewhere, Ok((secret, "s3".to_owned())), "it has a release of its own");
        assert_eq!(cause(json!({"installationStr": "", "clientSecret": ""}), secret), Err(Cause::Unfinished));
        let foreign = json!({"installationStr": command("00000000-0000-0000-0000-000000000001"), "clientSecret": "s3"});
        assert_eq!(cause(foreign, secret), Err(Cause::BadAnswer));
        assert_eq!(cause(json!({"bootstrapToken": "t", "clientSecret": null}), token), Ok("t".to_owned()));
    }
}
