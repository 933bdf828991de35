//! Errors of clients.

use plinth_model::Finding;

/// Result of a call through a client.
pub type ClientResult<T> = Result<T, ClientError>;

/// A call through a client failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{doing}: {happened}")]
pub struct ClientError {
    /// Which client: `bcm`, `node`, `fetch`, `ansible`, `kube`, `helm`, `runai`, `keystore`.
    pub client: &'static str,
    /// What we were doing, to what: `listing nodes at https://bcm-head-01:8081`.
    pub doing: String,
    /// What happened, in one sentence, without secrets.
    pub happened: String,
    /// What to try.
    pub attempt: String,
    /// Whether trying again may help, and why we believe so. None: it will not.
    pub transient: Option<&'static str>,
    /// A finding that says it better, if the client knows one: with owner and evidence.
    pub finding: Option<Box<Finding>>,
}

impl ClientError {
    /// A failure that trying again will not fix.
    pub fn permanent(
        client: &'static str,
        doing: impl Into<String>,
        happened: impl Into<String>,
        attempt: impl Into<String>,
    ) -> Self {
        Self {
            client,
            doing: doing.into(),
            happened: happened.into(),
            attempt: attempt.into(),
            transient: None,
            finding: None,
        }
    }

    /// A failure that may pass by itself.
    #[must_use]
    pub fn transient(mut self, why: &'static str) -> Self {
        self.transient = Some(why);
        self
    }

    /// Adds a finding.
    #[must_use]
    pub fn finding(mut self, finding: Finding) -> Self {
        self.finding = Some(Box::new(finding));
        self
    }
}
