//! Why a call to the API server failed, and what a person can do about it.

use kube::core::Status;
use plinth_model::finding::code;
use plinth_model::{Finding, Owner};
use plinth_net::Fault;
use plinth_world::ClientError;

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nothing listens, no way there, or the connection broke.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The server's certificate has another authority than the kubeconfig.
    WrongAuthority,
    /// The server's certificate is not for its address.
    WrongName,
    /// The server's certificate is out of date.
    ServerExpired,
    /// The server does not know who we are.
    Unauthorized,
    /// It knows, and says no.
    Forbidden,
    /// HTTP 5xx, or too many requests.
    Busy,
    /// It refuses, or tells only a part, and does not become ready.
    NotReady,
    /// It is not there.
    NotFound,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// The server says no for another reason.
    Rejected,
    /// An answer, or a kubeconfig, that makes no sense.
    Nonsense,
}

/// A failed call.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Why.
    pub(super) cause: Cause,
    /// What happened, in one sentence.
    pub(super) happened: String,
}

impl Failure {
    pub(super) fn new(cause: Cause, happened: impl Into<String>) -> Self {
        Self { cause, happened: happened.into() }
    }

    /// No answer within these seconds.
    pub(super) fn late(seconds: f32) -> Self {
        Self::new(Cause::Timeout, format!("there was no answer within {seconds} s"))
    }

    /// The server did not become ready in the time that one needs to start, so what it said does not count.
    pub(super) fn not_ready(said: &str) -> Self {
        let seconds = plinth_world::deadlines::KUBE_STARTS.as_secs();
        Self::new(Cause::NotReady, format!("the API server does not become ready within {seconds} s: {said}"))
    }

    /// Why it may pass by itself; none when it will not.
    pub(super) const fn transient(&self) -> Option<&'static str> {
        match self.cause {
            Cause::Unreachable => Some("an API server that starts, or a lost connection, comes back"),
            Cause::Timeout => Some("a busy API server answers later"),
            Cause::Busy => Some("the API server says that it is not ready, which passes"),
            Cause::NotReady => Some("an API server that has just started becomes ready"),
            Cause::Conflict => {
                Some("somebody else changed the same object; the next try starts from what is there then")
            }
            _ => None,
        }
    }

    /// Whether the API server said no. One that has just started may take it back.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self.cause, Cause::Unauthorized | Cause::Forbidden | Cause::NotFound)
    }

    /// Whether the API server itself was not reached, or did not believe us; not what it says of something behind it.
    pub(super) const fn is_about_the_way(&self) -> bool {
        !matches!(self.cause, Cause::Busy | Cause::NotFound | Cause::Rejected | Cause::Nonsense | Cause::Conflict)
    }

    /// Whether the kubeconfig itself is refused: another one may help.
    pub(super) const fn refuses_config(&self) -> bool {
        matches!(self.cause, Cause::WrongAuthority | Cause::Unauthorized)
    }

    /// What it is for programs. A refused kubeconfig is nothing that a person gave: it is fetched again.
    const fn known_as(&self) -> plinth_world::Cause {
        use plinth_world::Cause as Known;
        match self.cause {
            Cause::Unreachable | Cause::Busy | Cause::NotReady => Known::Unreachable,
            Cause::Timeout => Known::Timeout,
            Cause::WrongAuthority => Known::UnknownAuthority,
            Cause::WrongName | Cause::ServerExpired => Known::BadCertificate,
            Cause::Unauthorized | Cause::Forbidden | Cause::NotFound | Cause::Conflict | Cause::Rejected => {
                Known::Refused
            }
            Cause::Nonsense => Known::BadAnswer,
        }
    }

    const fn attempt(&self) -> &'static str {
        match self.cause {
            Cause::Unreachable => {
                "check that kube-apiserver runs on the control plane and that port 6443 is open from here"
            }
            Cause::Timeout => "check the load of the control plane, and that no firewall drops packets",
            Cause::WrongAuthority => {
                "run `plinth apply`: it fetches a new kubeconfig from the control plane that is there now"
            }
            Cause::WrongName => {
                "let the API server's certificate cover this address (`kubernetes.api.extraNames`), then run again"
            }
            Cause::ServerExpired => {
                "renew the certificates of the control plane, and check the clocks of both machines"
            }
            Cause::Unauthorized => {
                "run `plinth apply`: it fetches a new kubeconfig; if it is refused again, renew the certificates of the control plane"
            }
            Cause::Forbidden => "use a kubeconfig whose user may administer the cluster",
            Cause::Busy | Cause::Conflict => "run again",
            Cause::NotReady => {
                "look at what it is waiting for (`kubectl get --raw '/readyz?verbose'`); run again when it is ready"
            }
            Cause::NotFound | Cause::Rejected => "read what the API server says; it changed nothing",
            Cause::Nonsense => "check that what answers there is a Kubernetes API server",
        }
    }

    /// With everything that a person needs. `subject` is the server.
    pub(super) fn error(self, doing: &str, subject: &str) -> ClientError {
        let error = ClientError::new("kube", doing)
            .happened(self.happened.clone())
            .attempt(self.attempt())
            .because(self.known_as());
        let error = match self.transient() {
            Some(why) => error.transient(why),
            None => error,
        };
        match self.finding(subject) {
            Some(finding) => error.finding(finding.fix(self.attempt()).evidence(format!("{doing}: {}", self.happened))),
            None => error,
        }
    }

    fn finding(&self, subject: &str) -> Option<Finding> {
        Some(match self.cause {
            Cause::Unreachable | Cause::Timeout => {
                Finding::error(code::KUBERNETES_UNREACHABLE, subject, "the API server does not answer")
                    .owner(Owner::NetworkTeam)
            }
            Cause::WrongAuthority => Finding::error(
                code::KUBERNETES_WRONG_AUTHORITY,
                subject,
                "the API server's certificate is not signed by the authority in the kubeconfig",
            ),
            Cause::WrongName => Finding::error(
                code::KUBERNETES_WRONG_NAME,
                subject,
                "the API server's certificate is not for this address",
            ),
            Cause::ServerExpired => {
                Finding::error(code::KUBERNETES_SERVER_EXPIRED, subject, "the API server's certificate is out of date")
            }
            Cause::Unauthorized => {
                Finding::error(code::KUBERNETES_CREDENTIALS, subject, "the API server refuses the kubeconfig")
            }
            Cause::Forbidden => {
                Finding::error(code::KUBERNETES_FORBIDDEN, subject, "the user of the kubeconfig may not do this")
            }
            Cause::Busy | Cause::NotReady | Cause::NotFound | Cause::Conflict | Cause::Rejected | Cause::Nonsense => {
                return None;
            }
        })
    }
}

impl From<&kube::Error> for Failure {
    fn from(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => of_status(status),
            kube::Error::Discovery(_) => Self::new(Cause::NotFound, "the API server does not know this kind of object"),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
                Self::new(Cause::Nonsense, "the answer is not what the Kubernetes API answers")
            }
            other => of_chain(other),
        }
    }
}

/// Said of a pod in a namespace that was just made: a controller makes the account for its pods, on a busy machine some seconds later.
const ACCOUNT_TO_COME: &str = "error looking up service account ";

fn of_status(status: &Status) -> Failure {
    let cause = match status.code {
        401 => Cause::Unauthorized,
        403 if status.message.contains(ACCOUNT_TO_COME) => Cause::Busy,
        403 => Cause::Forbidden,
        404 => Cause::NotFound,
        409 => Cause::Conflict,
        429 | 500..=599 => Cause::Busy,
        400..=499 => Cause::Rejected,
        _ => Cause::Nonsense,
    };
    let said: String = status.message.lines().next().unwrap_or_default().chars().take(300).collect();
    let happened = match (said.is_empty(), status.reason.is_empty()) {
        (false, _) => format!("the API server answers {}: {said}", status.code),
        (true, false) => format!("the API server answers {}: {}", status.code, status.reason),
        (true, true) => format!("the API server answers {}", status.code),
    };
    Failure::new(cause, happened)
}

/// Below the client's own errors are those of HTTP, then of the connection, then of TLS.
fn of_chain(error: &kube::Error) -> Failure {
    let (cause, happened) = match Fault::find(error) {
        Some(Fault::NothingListens) => (Cause::Unreachable, "the connection is refused"),
        Some(Fault::NoRoute) => (Cause::Unreachable, "there is no way to it"),
        Some(Fault::NoSuchHost) => (Cause::Unreachable, "its name has no address"),
        Some(Fault::Interrupted) | None => (Cause::Unreachable, "the connection to the API server was lost"),
        Some(Fault::Timeout) => (Cause::Timeout, "the connection was not made in time"),
        Some(Fault::UnknownAuthority | Fault::AnotherAuthority) => (
            Cause::WrongAuthority,
            "its certificate is signed by another authority than the one in the kubeconfig: the cluster was made again, or this is another one",
        ),
        Some(Fault::WrongName) => (Cause::WrongName, "its certificate is for other names and addresses than this one"),
        Some(Fault::Expired | Fault::NotYetValid) => {
            (Cause::ServerExpired, "its certificate is not valid at this moment")
        }
        Some(Fault::NotTls) => (Cause::Nonsense, "what answers there does not speak TLS"),
        Some(Fault::HandshakeRefused(_)) => (Cause::Unauthorized, "it refuses our certificate"),
        Some(Fault::AuthorityAsServer | Fault::BadCertificate(_) | Fault::OldTls(_) | Fault::Handshake(_)) => {
            (Cause::Nonsense, "the TLS handshake failed")
        }
    };
    Failure::new(cause, happened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_whose_account_is_not_made_yet_is_no_matter_of_rights() {
        let refused =
            |message: &str| of_status(&Status { code: 403, message: message.to_owned(), ..Status::default() });
        let early = "pods \"gpu\" is forbidden: error looking up service account a/default: serviceaccount \"default\" not found";
        assert_eq!(refused(early).cause, Cause::Busy);
        assert_eq!(refused("pods is forbidden: User \"u\" cannot create resource").cause, Cause::Forbidden);
    }
}
