//! What a simulated control plane holds, and what it does.

use super::RunaiSetup;
use super::fault::{RunaiFault, RunaiFaultKind};
use super::reply::Reply;
use super::stage::RunaiStage;
use super::tokens::{Tokens, now_s, signed_like};
use super::training::{Scheduled, Training};
use super::unit::Unit;
use crate::server_fault::strike;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Seconds that a token for the first contact is valid (NVIDIA Run:ai docs 3.0).
const BOOTSTRAP_VALID_S: u64 = 7200;
/// Nodes on a page.
const PAGE: usize = 50;

/// One simulated control plane.
pub(super) struct Plane {
    pub(super) setup: RunaiSetup,
    /// `https://domain:port`.
    pub(super) url: String,
    pub(super) held: Mutex<Held>,
}

/// What changes.
#[derive(Default)]
pub(super) struct Held {
    pub(super) stage: RunaiStage,
    pub(super) clusters: Vec<Entry>,
    pub(super) units: Vec<Unit>,
    pub(super) trainings: Vec<Training>,
    pub(super) scheduled: Scheduled,
    pub(super) tokens: Tokens,
    pub(super) given: Vec<String>,
    pub(super) served: Vec<String>,
    pub(super) unexpected: Vec<String>,
    pub(super) faults: Vec<RunaiFault>,
    /// How many more answers about credentials are not complete yet.
    pub(super) unfinished: u32,
}

/// A registered cluster.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) uuid: String,
    pub(super) name: String,
    fields: Map<String, Value>,
    pub(super) status: Value,
    pub(super) nodes: Vec<Value>,
    secret: String,
}

impl Plane {
    pub(super) fn new(setup: RunaiSetup, port: u16, faults: Vec<RunaiFault>) -> Self {
        let url = match port {
            443 => format!("https://{}", setup.domain),
            port => format!("https://{}:{port}", setup.domain),
        };
        let held = Held { stage: setup.stage, faults, ..Held::default() };
        Self { setup, url, held: Mutex::new(held) }
    }

    /// A poisoned lock still holds good data: nothing here leaves it half changed.
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The issuer that the services of the control plane expect in a token.
    pub(super) fn familiar(&self) -> String {
        format!("{}/auth/realms/{}", self.url, self.setup.realm)
    }

    /// The issuer that Keycloak writes.
    pub(super) fn issuer(&self) -> String {
        self.setup.issuer.clone().unwrap_or_else(|| self.familiar())
    }

    /// Notes a call, and answers which fault strikes it.
    pub(super) fn begins(&self, call: &str) -> Option<RunaiFaultKind> {
        let mut held = self.held();
        held.served.push(call.to_owned());
        let fault = strike(&mut held.faults, call);
        if fault == Some(RunaiFaultKind::TokensEnd) {
            held.tokens.end();
        }
        fault
    }

    /// A token for a password, in Keycloak's words.
    pub(super) fn login(&self, fields: &BTreeMap<String, String>) -> Result<String, Reply> {
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        match field("grant_type") {
            "" => return Err(Reply::keycloak(400, "invalid_request", "Missing form parameter: grant_type")),
            "password" => {}
            "client_credentials" | "app_token" => return self.account(field("client_id"), field("client_secret")),
            _ => return Err(Reply::keycloak(400, "unsupported_grant_type", "Unsupported grant_type")),
        }
        if !self.setup.clients.iter().any(|client| client == field("client_id")) {
            return Err(Reply::keycloak(401, "invalid_client", "Invalid client or Invalid client credentials"));
        }
        if field("username") != self.setup.admin || field("password") != self.setup.password.expose() {
            return Err(Reply::keycloak(401, "invalid_grant", "Invalid user credentials"));
        }
        let issuer = self.issuer();
        Ok(self.held().tokens.give(&issuer, self.setup.token_valid_s))
    }

    /// A token for a service account, or for an application as those were called before.
    fn account(&self, id: &str, secret: &str) -> Result<String, Reply> {
        let known = self.setup.account.as_ref().filter(|(known, _)| known == id);
        if known.is_none_or(|(_, known)| known.expose() != secret) {
            return Err(Reply::keycloak(401, "unauthorized_client", "Invalid client or Invalid client credentials"));
        }
        let issuer = self.issuer();
        Ok(self.held().tokens.give(&issuer, self.setup.token_valid_s))
    }

    pub(super) fn list(&self) -> Reply {
        Reply::json(200, &self.held().clusters.iter().map(Entry::json).collect())
    }

    pub(super) fn cluster(&self, uuid: &str) -> Reply {
        match self.held().clusters.iter().find(|entry| entry.uuid == uuid) {
            Some(entry) => Reply::json(200, &entry.json()),
            None => Reply::refused(404, "cluster not found"),
        }
    }

    /// Makes an entry; a second one of a name too, since no conflict is declared.
    pub(super) fn register(&self, body: &[u8]) -> Reply {
        let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else {
            return Reply::refused(400, "request body has an error: not an object");
        };
        if let Some(unknown) = fields.keys().find(|key| !["name", "domain", "version"].contains(&key.as_str())) {
            return Reply::refused(400, &format!("property \"{unknown}\" is unsupported"));
        }
        let Some(name) = fields.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            return Reply::refused(400, "property \"name\" is missing");
        };
        let entry = Entry::new(name, fields.clone());
        let answer = Reply::json(201, &entry.json());
        self.held().clusters.push(entry);
        answer
    }

    /// What the cluster part needs, of the kind of this release.
    pub(super) fn install_info(&self, uuid: &str, version: Option<&str>) -> Reply {
        let Some(version) = version else { return Reply::refused(400, "parameter \"version\" is missing") };
        let mut held = self.held();
        let Some(entry) = held.clusters.iter().find(|entry| entry.uuid == uuid).cloned() else {
            return Reply::refused(404, "cluster not found");
        };
        let mut info = json!({
            "installationStr": installation(&self.url, &entry.uuid, version),
            "repositoryName": "runai", "chartRepoURL": "https://charts.example/runai",
        });
        if held.unfinished > 0 {
            held.unfinished -= 1;
            info["installationStr"] = Value::from("");
            return Reply::json(200, &info);
        }
        let (field, credential) = if self.setup.is_from((3, 0)) {
            let claims = json!({"sub": entry.uuid, "exp": now_s() + BOOTSTRAP_VALID_S});
            ("bootstrapToken", signed_like(&claims))
        } else {
            ("clientSecret", entry.secret)
        };
        held.given.push(credential.clone());
        info[field] = Value::from(credential);
        Reply::json(200, &info)
    }

    /// Nodes of a cluster, by the page.
    pub(super) fn nodes(&self, uuid: &str, offset: usize) -> Reply {
        let held = self.held();
        let Some(entry) = held.clusters.iter().find(|entry| entry.uuid == uuid) else {
            return Reply::refused(404, "cluster not found");
        };
        let page: Vec<&Value> = entry.nodes.iter().skip(offset).take(PAGE).collect();
        let next = offset + page.len();
        let mut body = json!({"nodes": page});
        if next < entry.nodes.len() {
            body["next"] = Value::from(next);
        }
        Reply::json(200, &body)
    }
}

impl Entry {
    pub(super) fn new(name: &str, fields: Map<String, Value>) -> Self {
        Self {
            uuid: Uuid::new_v4().to_string(),
            name: name.to_owned(),
            fields,
            status: json!({"state": "WaitingToConnect", "conditions": []}),
            nodes: Vec::new(),
            secret: format!("client-{}", Uuid::new_v4().simple()),
        }
    }

    pub(super) fn domain(&self) -> Option<String> {
        self.fields.get("domain")?.as_str().map(str::to_owned)
    }

    fn json(&self) -> Value {
        let mut json = json!({"uuid": self.uuid, "tenantId": 1001, "createdAt": "2026-01-01T00:00:00Z", "inventedLater": {"x": [1]}});
        for (name, value) in &self.fields {
            json[name] = value.clone();
        }
        json["name"] = Value::from(self.name.as_str());
        json["status"] = self.status.clone();
        if self.status["state"] == "Connected" {
            // It reports all the time as long as it is connected.
            json["lastLiveness"] = Value::from(jiff::Timestamp::now().to_string());
        }
        json
    }
}

/// The text for a shell that the real one hands out.
fn installation(url: &str, uuid: &str, version: &str) -> String {
    format!(
        "helm repo add runai https://charts.example/runai\nhelm repo update\nhelm upgrade -i runai-cluster runai/runai-cluster -n runai \\\n\
         --set controlPlane.url={url} \\\n--set cluster.uid={uuid} \\\n--set cluster.url={url} \\\n--version=\"{version}\" --create-namespace"
    )
}
