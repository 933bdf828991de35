//! Why a call to the control plane failed, and what a person can do about it.

use plinth_model::finding::{Code, code};
use plinth_model::{Finding, Owner};
use plinth_net::Fault;
use plinth_world::{Cause as Known, ClientError};
use std::time::Duration;

const CLIENT: &str = "runai";

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// What the target names cannot be used. Nobody was contacted.
    Input,
    NothingListens,
    /// No way there, or the connection broke.
    Unreachable,
    /// The name has no address.
    NoSuchHost,
    /// No answer in time.
    Timeout,
    /// A certificate of an authority that is not trusted.
    UnknownAuthority,
    /// A certificate for other names.
    WrongName,
    /// A certificate that is out of date, or not valid yet.
    Expired,
    /// A certificate, or TLS, that cannot be used in another way.
    BadCertificate,
    /// What should answer is not up yet: 404, 502, 503 or 504 of whatever stands before it.
    NotUp,
    /// User name or password refused.
    Credentials,
    /// The token is refused: it is over, or was never good.
    Unauthorized,
    /// The token's issuer is not the one that the control plane expects.
    Issuer,
    /// The server knows neither this way to a token, nor its client.
    UnknownWay,
    /// Keycloak is up and does not know the realm, of a control plane elsewhere.
    UnknownRealm,
    /// HTTP 403.
    Forbidden,
    /// HTTP 404 of the interface itself.
    NotFound,
    /// HTTP 409.
    Conflict,
    /// The server says no for another reason.
    Rejected,
    /// HTTP 5xx.
    Server,
    /// HTTP 502 or 504: who stands before it gave up; what was asked may still be under way.
    Gateway,
    /// The registration was answered with HTTP 5xx, and no entry appeared.
    Undone,
    /// HTTP 429.
    TooMany,
    /// A redirect. Never followed: the token goes nowhere else.
    Redirect,
    /// The answer ends in the middle.
    Truncated,
    /// An answer that makes no sense, or is too large.
    BadAnswer,
    /// An answer that lacks what will be in it in a moment.
    Unfinished,
    /// The control plane gives another kind of credential.
    OtherCredential,
    /// Nobody knows whether the cluster was registered.
    Lost,
}

/// Whether the server may have done what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It was never sent, or was refused.
    None,
    /// It may have been done.
    Possible,
}

/// A failed call, before it is worded for people. Its texts hold no secret: what a server says is cleaned where it is quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// What happened, in one sentence.
    pub(crate) happened: String,
    pub(crate) evidence: Vec<String>,
    /// How long the server wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) effect: Effect,
    /// Whether it was the login that failed.
    pub(crate) login: bool,
    /// Whether the answer was HTTP 404, in whatever form: with a known control plane, one of a path that its release does not have.
    pub(crate) is_404: bool,
}

impl Failure {
    pub(crate) fn new(cause: Cause, happened: impl Into<String>) -> Self {
        Self {
            cause,
            happened: happened.into(),
            evidence: Vec::new(),
            retry_after: None,
            effect: Effect::None,
            login: false,
            is_404: false,
        }
    }

    /// The same; the server may have done what was asked.
    pub(crate) fn perhaps_done(self) -> Self {
        Self { effect: Effect::Possible, ..self }
    }

    /// The same, of the login: nothing else was sent.
    pub(crate) fn in_login(self) -> Self {
        Self { login: true, effect: Effect::None, ..self }
    }

    pub(crate) fn evidence(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// Of an exchange. Nothing of the request is quoted.
    pub(crate) fn of_http(error: &reqwest::Error) -> Self {
        let failure = Self::of_fault(&Fault::of_http(error));
        if error.is_connect() || error.is_builder() { failure } else { failure.perhaps_done() }
    }

    fn of_fault(fault: &Fault) -> Self {
        let cause = match fault {
            Fault::NothingListens => Cause::NothingListens,
            Fault::NoSuchHost => Cause::NoSuchHost,
            Fault::NoRoute | Fault::Interrupted => Cause::Unreachable,
            Fault::Timeout => Cause::Timeout,
            Fault::UnknownAuthority | Fault::AnotherAuthority => Cause::UnknownAuthority,
            Fault::WrongName => Cause::WrongName,
            Fault::Expired | Fault::NotYetValid => Cause::Expired,
            Fault::AuthorityAsServer
            | Fault::BadCertificate(_)
            | Fault::OldTls(_)
            | Fault::HandshakeRefused(_)
            | Fault::Handshake(_)
            | Fault::NotTls => Cause::BadCertificate,
        };
        Self::new(cause, fault.sentence())
    }

    /// Whether asking again at once may help. What is not up needs longer than that; its caller waits. A login was tried again
    /// already.
    pub(crate) const fn is_passing(&self) -> bool {
        !self.login
            && matches!(
                self.cause,
                Cause::Unreachable
                    | Cause::NoSuchHost
                    | Cause::Timeout
                    | Cause::Server
                    | Cause::Gateway
                    | Cause::TooMany
                    | Cause::Truncated
                    | Cause::Unfinished
            )
    }

    /// The error for people.
    pub(crate) fn into_error(self, doing: &str, url: &str) -> ClientError {
        let doing =
            if self.login { format!("getting a token from Keycloak at {url}") } else { format!("{doing} at {url}") };
        let attempt = self.cause.attempt();
        let mut finding = Finding::error(self.cause.code(), url, self.happened.clone()).fix(attempt);
        if matches!(self.cause, Cause::Unreachable | Cause::Timeout) {
            finding = finding.owner(Owner::NetworkTeam);
        }
        finding = finding.evidence(doing.clone());
        finding.evidence.extend(self.evidence);
        let error = ClientError::new(CLIENT, doing)
            .happened(self.happened)
            .attempt(attempt)
            .because(self.cause.known_as())
            .finding(finding);
        match self.cause.transient() {
            Some(why) => error.transient(why),
            None => error,
        }
    }
}

impl Cause {
    const fn code(self) -> Code {
        match self {
            Self::Input => code::RUNAI_TARGET_UNUSABLE,
            Self::NothingListens | Self::Unreachable | Self::Truncated => code::RUNAI_UNREACHABLE,
            Self::NoSuchHost => code::RUNAI_NO_SUCH_HOST,
            Self::Timeout => code::RUNAI_TIMEOUT,
            Self::UnknownAuthority => code::RUNAI_TLS_UNKNOWN_AUTHORITY,
            Self::WrongName => code::RUNAI_TLS_WRONG_NAME,
            Self::Expired => code::RUNAI_TLS_EXPIRED,
            Self::BadCertificate => code::RUNAI_TLS_BAD_CERTIFICATE,
            Self::NotUp => code::RUNAI_ISSUER_ABSENT,
            Self::Credentials | Self::Unauthorized | Self::UnknownWay => code::RUNAI_CREDENTIALS,
            Self::Issuer => code::RUNAI_ISSUER_MISMATCH,
            Self::UnknownRealm | Self::Forbidden | Self::NotFound | Self::Conflict | Self::Rejected => {
                code::RUNAI_REFUSED
            }
            Self::Server | Self::Gateway | Self::Undone | Self::TooMany => code::RUNAI_SERVER_TROUBLE,
            Self::Redirect | Self::BadAnswer | Self::Unfinished => code::RUNAI_BAD_ANSWER,
            Self::OtherCredential => code::RUNAI_CLUSTER_SECRET,
            Self::Lost => code::RUNAI_REGISTRATION_UNKNOWN,
        }
    }

    /// What it is for programs.
    const fn known_as(self) -> Known {
        match self {
            Self::Input => Known::Input,
            Self::NothingListens | Self::Unreachable | Self::NoSuchHost | Self::NotUp | Self::Truncated => {
                Known::Unreachable
            }
            Self::Timeout => Known::Timeout,
            Self::UnknownAuthority => Known::UnknownAuthority,
            Self::WrongName | Self::Expired | Self::BadCertificate => Known::BadCertificate,
            Self::Credentials => Known::Credentials,
            Self::Unauthorized
            | Self::Issuer
            | Self::UnknownWay
            | Self::UnknownRealm
            | Self::Forbidden
            | Self::NotFound
            | Self::Conflict
            | Self::Rejected => Known::Refused,
            Self::Server
            | Self::Gateway
            | Self::Undone
            | Self::TooMany
            | Self::Redirect
            | Self::BadAnswer
            | Self::Unfinished
            | Self::OtherCredential => Known::BadAnswer,
            Self::Lost => Known::Other,
        }
    }

    const fn attempt(self) -> &'static str {
        match self {
            Self::Input => "correct what is named here, then run again",
            Self::NothingListens => "check that the ingress runs and listens on the port of the URL",
            Self::Unreachable | Self::Truncated => {
                "check the way from this machine to the ingress address, and the log of the ingress"
            }
            Self::NoSuchHost => "set platform.ingress.address, or let this machine's name service know the name",
            Self::Timeout => "check that nothing on the way drops packets, and the load of the control plane",
            Self::UnknownAuthority => {
                "check that secret runai-backend-tls of namespace runai-backend holds the certificate that plinth keeps, and that the ingress uses it; with files of your own, name their authority in runai.certificate"
            }
            Self::WrongName => "check that the ingress answers for runai.domain with the secret runai-backend-tls",
            Self::Expired => "renew the certificate of runai.certificate, and check this machine's clock",
            Self::BadCertificate => "check with `openssl s_client` what answers at this address",
            Self::NotUp => {
                "wait for the pods keycloak and postgresql of namespace runai-backend, then look at the ingress"
            }
            Self::Credentials => {
                "check runai.admin: an administrator whose password was changed in the UI has the new one there only"
            }
            Self::Unauthorized => "check the clocks of the control plane's nodes and the logs of its pods",
            Self::Issuer => {
                "compare the issuer document with the URL of the control plane, port included; KC_HOSTNAME and keycloakExternalEndpoint must say the same"
            }
            Self::UnknownWay => {
                "check that realm and release are those of the control plane: runai.version decides how a token is asked for"
            }
            Self::UnknownRealm => "check runai.controlPlane.realm: it is the name of the tenant",
            Self::Forbidden => "give the administrator of runai.admin a role that may manage clusters",
            Self::NotFound => "look at the clusters in the control plane's UI, then run again",
            Self::Conflict => {
                "run again: an entry of that name is used then; if none is listed it is being deleted, so wait for that or choose another runai.cluster.name"
            }
            Self::Rejected => "fix what the control plane complains about; runai.version decides what it is asked",
            Self::Server | Self::Gateway | Self::Undone | Self::TooMany => {
                "look at the pods of namespace runai-backend, then run again"
            }
            Self::Redirect => "let the ingress answer for runai.domain itself: redirects are not followed with a token",
            Self::BadAnswer => {
                "check with `curl` what answers at this URL; if it is Run:ai, report its release and this message to the makers of plinth"
            }
            Self::Unfinished => "run again in a minute",
            Self::OtherCredential => "set runai.version to the release of the control plane",
            Self::Lost => {
                "look at the clusters in the control plane's UI; run again: an entry of that name is used, and without one it is registered"
            }
        }
    }

    /// Why trying again may help; none: it will not.
    const fn transient(self) -> Option<&'static str> {
        match self {
            Self::NothingListens => Some("the ingress may be starting"),
            Self::Unreachable | Self::Truncated => Some("the connection broke"),
            Self::NoSuchHost => Some("the name service may be away"),
            Self::Timeout => Some("no answer in time"),
            Self::NotUp => Some("Keycloak needs minutes to come up"),
            Self::Server | Self::Gateway | Self::Undone => Some("the control plane is in trouble"),
            Self::TooMany => Some("the control plane asks for patience"),
            Self::Unfinished => Some("a new entry is completed after a moment"),
            Self::Conflict => Some("somebody registers this name just now"),
            _ => None,
        }
    }
}
