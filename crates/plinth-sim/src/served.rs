//! What a simulated server shows of itself over TLS.

use plinth_model::Secret;

/// A certificate with its chain, and its key, as files hold them.
#[derive(Clone, Debug)]
pub struct ServedCertificate {
    /// PEM, the server's own first.
    pub chain: String,
    /// PEM.
    pub key: Secret,
}
