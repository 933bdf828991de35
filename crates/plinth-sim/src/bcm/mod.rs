//! A simulated BCM: CMDaemon's JSON interface over real TLS and HTTP, on loopback.
//!
//! It runs on a thread and a runtime of its own, so that callers on any runtime, or on virtual time, can talk to it. What it
//! does not know it refuses with HTTP 400 and remembers ([`SimBcm::unexpected`]).

mod answer;
mod auth;
pub(crate) mod authority;
mod daemon;
mod error;
mod fault;
mod fixture;
mod server;
mod synthesis;

pub use auth::SimAuth;
pub use authority::{ClientPair, SimCertificate};
pub use error::SimBcmError;
pub use fault::{BcmFault, BcmFaultKind, RefusedLogin, ReplyShape, SessionEnd, reply_shapes};
pub use fixture::BcmFixture;
pub use server::SimBcm;
