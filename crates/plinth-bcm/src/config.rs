//! What a connection to BCM is made from.

use plinth_model::Secret;
use plinth_world::deadlines;
use std::time::Duration;

/// How we prove who we are.
#[derive(Clone, Debug)]
pub enum BcmProof {
    /// User name and password; BCM answers with a session cookie.
    Password {
        /// User name.
        username: Secret,
        /// Sent in the body of the login call, and nowhere else.
        password: Secret,
    },
    /// A client certificate in the TLS handshake. No login call and no cookie are needed then.
    Certificate {
        /// The certificate and, behind it, its intermediates, PEM.
        certificate: Vec<u8>,
        /// Its private key, PEM.
        key: Secret,
    },
}

/// Whom we believe to be BCM.
#[derive(Clone, Debug)]
pub enum BcmTrust {
    /// The authorities that this machine trusts.
    System,
    /// These authorities (PEM) and no others. A fresh BCM signs its certificate itself, so this is the usual choice.
    CaPem(Vec<u8>),
    /// Anybody. Whoever answers gets the password; a plan made so carries a finding.
    Insecure,
}

/// Waits and limits. The defaults are [`plinth_world::deadlines`]; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BcmTiming {
    /// One request, from connecting to the last byte of the reply.
    pub request: Duration,
    /// Tries after the first.
    pub retries: usize,
    /// First wait; doubled each time, with jitter.
    pub first_wait: Duration,
    /// Longest wait, before jitter.
    pub longest_wait: Duration,
    /// Largest reply that is read, bytes.
    pub reply_max: usize,
}

impl Default for BcmTiming {
    fn default() -> Self {
        Self {
            request: deadlines::BCM_REQUEST,
            retries: deadlines::BCM_RETRIES,
            first_wait: deadlines::BCM_BACKOFF,
            longest_wait: deadlines::BCM_BACKOFF_MAX,
            reply_max: deadlines::BCM_REPLY_MAX,
        }
    }
}

/// Everything a connection to BCM is made from. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct BcmConfig {
    /// `https://bcm-head-01:8081`: scheme, host and port, nothing more.
    pub endpoint: String,
    /// How we prove who we are.
    pub proof: BcmProof,
    /// Whom we believe.
    pub trust: BcmTrust,
    /// Waits and limits.
    pub timing: BcmTiming,
}

impl BcmConfig {
    /// A configuration with the usual waits.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, proof: BcmProof, trust: BcmTrust) -> Self {
        Self { endpoint: endpoint.into(), proof, trust, timing: BcmTiming::default() }
    }

    /// The same with other waits.
    #[must_use]
    pub fn timing(mut self, timing: BcmTiming) -> Self {
        self.timing = timing;
        self
    }
}
