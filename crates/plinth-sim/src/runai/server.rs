//! The simulated control plane as it runs.

use super::fault::RunaiFault;
use super::plane::{Entry, Plane};
use super::routes::routes;
use super::training::Scheduled;
use super::{RunaiServerError, RunaiSetup, RunaiStage, ServedCertificate};
use crate::bcm::SimCertificate;
use crate::bcm::authority::{Authority, served_config, server_config};
use crate::https::HttpsServer;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A running simulated control plane. Stops when dropped.
pub struct RunaiServer {
    plane: Arc<Plane>,
    ca_pem: String,
    port: u16,
    server: HttpsServer,
}

impl RunaiServer {
    /// Starts one where the setup says, with a certificate of its own authority unless another is given.
    ///
    /// # Errors
    /// When no port, thread or certificate can be had.
    pub fn start(setup: RunaiSetup, faults: Vec<RunaiFault>) -> Result<Self, RunaiServerError> {
        let failed = |error: &dyn std::fmt::Display| RunaiServerError(error.to_string());
        let authority = Authority::new("simulated Run:ai").map_err(|error| failed(&error))?;
        let usual = SimCertificate { names: vec![setup.domain.clone()], expired: false };
        let certificate = setup.certificate.clone().unwrap_or(usual);
        let tls = match &setup.served {
            Some(served) => served_config(served),
            None => server_config(&authority, &authority, &certificate),
        };
        let tls = tls.map_err(|error| failed(&error))?;
        let listen = setup.listen;
        let mut made = None;
        let server = HttpsServer::start("simulated-runai", tls, listen, |port| {
            routes(Arc::clone(made.insert(Arc::new(Plane::new(setup, port, faults)))))
        });
        let server = server.map_err(|error| failed(&error))?;
        let plane = made.ok_or_else(|| failed(&"it has no routes"))?;
        Ok(Self { plane, ca_pem: authority.pem(), port: server.port(), server })
    }

    /// `https://DOMAIN:PORT`. The name means nothing; connections go to 127.0.0.1.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.plane.url
    }

    /// TCP port at which it listens; a free one, unless the setup names one.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Certificate of the authority that signed its own, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// From now on it shows this certificate, as an ingress does whose secret changed.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn shows(&self, served: &ServedCertificate) -> Result<(), RunaiServerError> {
        let tls = served_config(served).map_err(|error| RunaiServerError(error.to_string()))?;
        self.server.show(tls);
        Ok(())
    }

    /// From now on so much of it answers.
    pub fn comes_up_to(&self, stage: RunaiStage) {
        self.plane.held().stage = stage;
    }

    /// One more fault.
    pub fn fail(&self, fault: RunaiFault) {
        self.plane.held().faults.push(fault);
    }

    /// Somebody else registers a cluster; answers its id.
    pub fn registered_by_hand(&self, name: &str) -> String {
        let entry = Entry::new(name, Map::new());
        let uuid = entry.uuid.clone();
        self.plane.held().clusters.push(entry);
        uuid
    }

    /// What the cluster reports from now on: the object `status`, and its nodes as names with numbers of GPUs.
    pub fn reports(&self, uuid: &str, status: Value, nodes: &[(&str, u32)]) {
        let node = |(name, gpus): &(&str, u32)| match gpus {
            0 => json!({"name": name, "status": "Ready"}),
            gpus => json!({"name": name, "status": "Ready", "gpuInfo": {"gpuType": "H100", "gpuCount": gpus}}),
        };
        let mut held = self.plane.held();
        if let Some(entry) = held.clusters.iter_mut().find(|entry| entry.uuid == uuid) {
            entry.status = status;
            entry.nodes = nodes.iter().map(node).collect();
        }
    }

    /// The next answers about credentials lack them, as right after a registration.
    pub fn credentials_come_late(&self, answers: u32) {
        self.plane.held().unfinished = answers;
    }

    /// Somebody changes fields of a department or a project by hand.
    pub fn changed_by_hand(&self, unit: &str, change: impl FnOnce(&mut Map<String, Value>)) {
        self.plane.change_unit(unit, change);
    }

    /// The address under which a cluster was registered.
    #[must_use]
    pub fn domain(&self, uuid: &str) -> Option<String> {
        let held = self.plane.held();
        held.clusters.iter().find(|entry| entry.uuid == uuid).and_then(Entry::domain)
    }

    /// A department or a project, as the control plane knows it.
    #[must_use]
    pub fn unit(&self, name: &str) -> Option<Value> {
        self.plane.unit(name)
    }

    /// What the scheduler says of every training from now on.
    pub fn schedules(&self, phase: &str, message: &str) {
        self.plane.held().scheduled = Scheduled { phase: phase.to_owned(), message: message.to_owned() };
    }

    /// What was asked for by each training that is there.
    #[must_use]
    pub fn trainings(&self) -> Vec<Value> {
        self.plane.held().trainings.iter().map(|one| one.spec.clone()).collect()
    }

    /// Every token is over.
    pub fn end_tokens(&self) {
        self.plane.held().tokens.end();
    }

    /// Ids of all entries of this name.
    #[must_use]
    pub fn entries(&self, name: &str) -> Vec<String> {
        let held = self.plane.held();
        held.clusters.iter().filter(|entry| entry.name == name).map(|entry| entry.uuid.clone()).collect()
    }

    /// Calls so far, in order: `token`, `clusters`.
    #[must_use]
    pub fn served(&self) -> Vec<String> {
        self.plane.held().served.clone()
    }

    /// Requests that no control plane of this release is known to answer. A test that expects none checks this.
    #[must_use]
    pub fn unexpected(&self) -> Vec<String> {
        self.plane.held().unexpected.clone()
    }

    /// Every token and credential that was given so far: none of them may be seen anywhere.
    #[must_use]
    pub fn secrets_given(&self) -> Vec<String> {
        let held = self.plane.held();
        held.tokens.all().into_iter().chain(held.given.iter().cloned()).collect()
    }
}
