//! The simulated daemon as it runs: start and stop.

use super::authority::{Authority, server_config};
use super::daemon::{Daemon, routes};
use super::{BcmFault, BcmFixture, ClientPair, SimAuth, SimBcmError, SimCertificate};
use crate::https::HttpsServer;
use std::sync::Arc;

/// A running simulated BCM. Stops when dropped.
pub struct SimBcm {
    endpoint: String,
    ca_pem: String,
    clients: Authority,
    daemon: Arc<Daemon>,
    _server: HttpsServer,
}

impl SimBcm {
    /// Starts one on a free port of 127.0.0.1, with a good certificate of its own authority.
    ///
    /// # Errors
    /// When no port, thread or certificate can be had.
    pub fn start(fixture: BcmFixture, faults: Vec<BcmFault>, auth: SimAuth) -> Result<Self, SimBcmError> {
        Self::start_with_certificate(fixture, faults, auth, &SimCertificate::default())
    }

    /// Starts one with a certificate that says something else.
    ///
    /// # Errors
    /// When no port, thread or certificate can be had.
    pub fn start_with_certificate(
        fixture: BcmFixture,
        faults: Vec<BcmFault>,
        auth: SimAuth,
        certificate: &SimCertificate,
    ) -> Result<Self, SimBcmError> {
        let authority = Authority::new("simulated BCM")?;
        let clients = Authority::new("simulated BCM clients")?;
        let tls = server_config(&authority, &clients, certificate)?;
        let daemon = Arc::new(Daemon::new(fixture, faults, auth));
        let router = routes(Arc::clone(&daemon));
        let server = HttpsServer::start("simulated-bcm", tls, ([127, 0, 0, 1], 0).into(), |_| router);
        let server = server.map_err(SimBcmError::of("starting a server on 127.0.0.1"))?;
        let endpoint = format!("https://127.0.0.1:{}", server.port());
        Ok(Self { endpoint, ca_pem: authority.pem(), clients, daemon, _server: server })
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Certificate of the authority that signed the daemon's, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A client certificate that counts as logged in.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn client_pair(&self, name: &str) -> Result<ClientPair, SimBcmError> {
        self.clients.client(name)
    }

    /// Calls so far, in order: `login`, `cmdevice.getNodes`.
    #[must_use]
    pub fn served(&self) -> Vec<String> {
        self.daemon.served()
    }

    /// Requests that no BCM is known to answer; they got HTTP 400 or 404. A test that expects none checks this.
    #[must_use]
    pub fn unexpected(&self) -> Vec<String> {
        self.daemon.unexpected()
    }
}
