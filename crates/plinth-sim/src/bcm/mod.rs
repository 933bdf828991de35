//! A simulated BCM: CMDaemon's JSON interface over real TLS and HTTP, on loopback.
//!
//! It runs on a thread and a runtime of its own, so that callers on any runtime, or on virtual time, can talk to it. What it
//! does not know it refuses with HTTP 400 and remembers ([`SimBcm::unexpected`]).

mod answer;
pub(crate) mod authority;
mod daemon;
mod fault;
mod fixture;
mod server;
mod synthesis;

pub use authority::{ClientPair, SimCertificate};
pub use fault::{BcmFault, BcmFaultKind, RefusedLogin, ReplyShape, SessionEnd, reply_shapes};
pub use fixture::BcmFixture;
pub use server::SimBcm;

use plinth_model::Secret;

/// Who may log in. Client certificates of the daemon's own authority count as logged in as well.
#[derive(Clone, Debug)]
pub struct SimAuth {
    /// User name.
    pub username: Secret,
    /// Every other one is refused.
    pub password: Secret,
}

impl SimAuth {
    /// A user and a password.
    #[must_use]
    pub fn new(username: &str, password: &str) -> Self {
        Self { username: Secret::new(username.to_owned()), password: Secret::new(password.to_owned()) }
    }
}

/// The simulated BCM cannot be set up. Never the fault of what is simulated.
#[derive(Debug, thiserror::Error)]
#[error("simulated BCM: {doing}: {happened}")]
pub struct SimBcmError {
    /// What was being set up.
    pub doing: &'static str,
    /// The cause, as a library or the system says it.
    pub happened: String,
}

impl SimBcmError {
    /// Words an inner error.
    pub(crate) fn of<E: std::fmt::Display>(doing: &'static str) -> impl Fn(E) -> Self {
        move |error| Self { doing, happened: error.to_string() }
    }
}
