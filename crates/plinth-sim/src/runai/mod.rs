//! A simulated Run:ai control plane: its REST interface and the Keycloak before it, over real TLS and HTTP, on loopback.
//!
//! Paths, fields and refusals are those of the API descriptions 2.18 to 2.24 and of Keycloak 26; what it does not know it refuses
//! and remembers ([`RunaiServer::unexpected`]). Tokens are its own, or, with a real Keycloak behind it, that one's: their issuer is
//! compared as an exact text, as Run:ai does.

mod fault;
mod keycloak;
mod plane;
mod reply;
mod routes;
mod server;
mod stage;
mod tokens;
mod training;
mod unit;
mod units;
mod workloads;

pub use fault::{RunaiFault, RunaiFaultKind};
pub use server::RunaiServer;
pub use stage::RunaiStage;

use crate::bcm::SimCertificate;
pub use crate::served::ServedCertificate;
use plinth_model::{Secret, Version};
use std::net::SocketAddr;

/// What a simulated control plane is.
#[derive(Clone, Debug)]
pub struct RunaiSetup {
    /// Host name in its URL and, with none of its own given, in its certificate.
    pub domain: String,
    /// Release of the control plane: `2.21`. Decides which paths there are and which credential a cluster gets.
    pub release: Version,
    /// Realm: that of self-hosted ones, or the tenant's.
    pub realm: String,
    /// Administrator.
    pub admin: String,
    /// The administrator's password.
    pub password: Secret,
    /// A service account (before 2.24 an application): its id and its secret.
    pub account: Option<(String, Secret)>,
    /// Clients of the realm that may ask for a token with a password.
    pub clients: Vec<String>,
    /// What Keycloak was told its issuer is; none: that of the URL.
    pub issuer: Option<String>,
    /// Seconds that a token is valid.
    pub token_valid_s: u64,
    /// How far it has come up when it starts; [`RunaiServer::comes_up_to`] brings it further.
    pub stage: RunaiStage,
    /// Its certificate, when it is not an ordinary one for the domain.
    pub certificate: Option<SimCertificate>,
    /// A certificate that somebody else made, which it shows instead of one of its own.
    pub served: Option<ServedCertificate>,
    /// Where it listens; port 0: any that is free.
    pub listen: SocketAddr,
    /// A real Keycloak that answers everything below `/auth` and whose tokens are the ones that count.
    pub keycloak: Option<SocketAddr>,
}

impl RunaiSetup {
    /// A healthy one of this release.
    #[must_use]
    pub fn new(domain: &str, release: Version, password: Secret) -> Self {
        Self {
            domain: domain.to_owned(),
            release,
            realm: "runai".to_owned(),
            account: None,
            admin: "admin@example.com".to_owned(),
            password,
            clients: vec!["runai".to_owned()],
            issuer: None,
            token_valid_s: 300,
            stage: RunaiStage::Whole,
            certificate: None,
            served: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            keycloak: None,
        }
    }

    /// Whether the release is this one or a later one.
    fn is_from(&self, release: (u64, u64)) -> bool {
        let own = self.release.semver();
        (own.major, own.minor) >= release
    }
}

/// The simulated control plane cannot be set up. Never the fault of what is simulated.
#[derive(Debug, thiserror::Error)]
#[error("simulated Run:ai: {0}")]
pub struct RunaiServerError(String);
