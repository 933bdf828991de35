//! Errors of clients.

use plinth_model::run::CommandFailure;
use plinth_model::{Exit, Finding, NodeName};

/// Result of a call through a client.
pub type ClientResult<T> = Result<T, ClientError>;

/// Why a call failed, for programs: the exit code follows from it. People read the sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What plinth was given cannot be used: an endpoint, a file, a key. Nobody was contacted.
    Input,
    /// The login that was given for the other side is wrong: its user name, password or certificate. An SSH login that
    /// is refused is not one: whether keys, account or sshd are wrong is known to the node only, see `Refused`.
    Credentials,
    /// The other side answers, and says no.
    Refused,
    /// Nobody is there: no address, no way, nothing listens, or the connection broke.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The other side's certificate or host key is by nobody that is trusted here.
    UnknownAuthority,
    /// The other side's certificate, or its TLS, cannot be used for another reason.
    BadCertificate,
    /// An answer that makes no sense.
    BadAnswer,
    /// Anything else; what happened is in the sentence only.
    Other,
}

impl Cause {
    /// How a process ends that was stopped by it.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Input | Self::Credentials => Exit::Input,
            Self::Refused
            | Self::Unreachable
            | Self::Timeout
            | Self::UnknownAuthority
            | Self::BadCertificate
            | Self::BadAnswer
            | Self::Other => Exit::Unreachable,
        }
    }
}

/// A call through a client failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{doing}: {happened}")]
pub struct ClientError {
    /// Which client: `bcm`, `node`, `fetch`, `ansible`, `kube`, `charts`, `helm`, `runai`, `keystore`.
    pub client: &'static str,
    /// Why, for programs.
    pub cause: Cause,
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
    /// What it failed on, where that is known.
    pub failed_on: Option<Box<FailedOn>>,
}

/// The program on which a call failed, and of a call about several nodes, those.
#[derive(Clone, Debug, Default)]
pub struct FailedOn {
    /// The program, where it was one.
    pub program: Option<CommandFailure>,
    /// Nodes of several; empty where it did not fail on some only.
    pub nodes: Vec<NodeName>,
}

impl ClientError {
    /// A failure that trying again will not fix, of no special cause. What happened and what to try are said by
    /// [`ClientError::happened`] and [`ClientError::attempt`].
    pub fn new(client: &'static str, doing: impl Into<String>) -> Self {
        Self {
            client,
            cause: Cause::Other,
            doing: doing.into(),
            happened: String::new(),
            attempt: String::new(),
            transient: None,
            finding: None,
            failed_on: None,
        }
    }

    /// What happened, in one sentence, without secrets.
    #[must_use]
    pub fn happened(mut self, happened: impl Into<String>) -> Self {
        self.happened = happened.into();
        self
    }

    /// What to try.
    #[must_use]
    pub fn attempt(mut self, attempt: impl Into<String>) -> Self {
        self.attempt = attempt.into();
        self
    }

    /// Why, for programs.
    #[must_use]
    pub const fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// A failure that may pass by itself.
    #[must_use]
    pub fn transient(mut self, why: &'static str) -> Self {
        self.transient = Some(why);
        self
    }

    /// Adds the program that failed.
    #[must_use]
    pub fn failure(self, failure: CommandFailure) -> Self {
        self.failed_on(FailedOn { program: Some(failure), ..FailedOn::default() })
    }

    /// Adds what it failed on.
    #[must_use]
    pub fn failed_on(mut self, failed_on: FailedOn) -> Self {
        self.failed_on = Some(Box::new(failed_on));
        self
    }

    /// Adds a finding.
    #[must_use]
    pub fn finding(mut self, finding: Finding) -> Self {
        self.finding = Some(Box::new(finding));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_gave_ends_with_1_and_what_is_elsewhere_with_6() {
        for (cause, exit) in [
            (Cause::Input, Exit::Input),
            (Cause::Credentials, Exit::Input),
            (Cause::Unreachable, Exit::Unreachable),
            (Cause::Other, Exit::Unreachable),
        ] {
            assert_eq!(cause.exit(), exit, "{cause:?}");
        }
    }
}
