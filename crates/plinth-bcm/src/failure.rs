//! Why a call to BCM failed, and what a person can do about it.

use crate::entity::EntityError;
use crate::reply::ReplyError;
use plinth_model::finding::{Code, code};
use plinth_model::{Finding, Owner};
use plinth_net::Fault;
use plinth_world::ClientError;

/// A failed call, before it is worded for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Why.
    pub(super) cause: Cause,
    /// What happened, in one sentence.
    pub(super) happened: String,
    /// Whether it was the login that failed.
    pub(super) login: bool,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nothing listens.
    Refused,
    /// The host name has no address.
    NoSuchHost,
    /// No way there.
    Unroutable,
    /// The connection broke.
    Interrupted,
    /// No answer in time.
    Timeout,
    /// Certificate of an authority that we do not believe.
    UnknownAuthority,
    /// Certificate for another name.
    WrongName,
    /// Certificate out of date.
    Expired,
    /// Certificate of an authority, shown as if it were a server's own.
    AuthorityAsServer,
    /// Certificate unusable in another way.
    BadCertificate,
    /// The peer does not speak TLS.
    NotTls,
    /// The peer refused the handshake: with certificate login, our certificate.
    Handshake,
    /// The peer speaks TLS, but no version or cipher that is safe.
    OldTls,
    /// HTTP 5xx.
    Server,
    /// The reply ends early.
    Truncated,
    /// The reply is larger than we read.
    TooLarge,
    /// No session; fixed by logging in once more.
    Session,
    /// User name, password or client certificate refused.
    Credentials,
    /// BCM does not know the call.
    UnknownCall,
    /// HTTP 3xx.
    Redirect,
    /// BCM said no.
    Rejected,
    /// A reply that makes no sense.
    BadReply,
    /// One entity of a list that makes no sense.
    BadEntity,
}

impl Cause {
    /// Stable code of the finding.
    fn code(self) -> Code {
        match self {
            Cause::Refused | Cause::Unroutable => code::BCM_UNREACHABLE,
            Cause::NoSuchHost => code::BCM_NO_SUCH_HOST,
            Cause::Interrupted => code::BCM_INTERRUPTED,
            Cause::Timeout => code::BCM_TIMEOUT,
            Cause::UnknownAuthority => code::BCM_TLS_UNKNOWN_AUTHORITY,
            Cause::WrongName => code::BCM_TLS_WRONG_NAME,
            Cause::Expired => code::BCM_TLS_EXPIRED,
            Cause::AuthorityAsServer | Cause::BadCertificate => code::BCM_TLS_BAD_CERTIFICATE,
            Cause::NotTls => code::BCM_TLS_NOT_SPOKEN,
            Cause::Handshake | Cause::OldTls => code::BCM_TLS_REFUSED,
            Cause::Server => code::BCM_SERVER_TROUBLE,
            Cause::Truncated => code::BCM_TRUNCATED,
            Cause::TooLarge => code::BCM_TOO_LARGE,
            Cause::Session | Cause::Credentials => code::BCM_CREDENTIALS,
            Cause::UnknownCall => code::BCM_UNKNOWN_CALL,
            Cause::Redirect => code::BCM_REDIRECT,
            Cause::Rejected => code::BCM_REJECTED,
            Cause::BadReply => code::BCM_BAD_REPLY,
            Cause::BadEntity => code::BCM_BAD_ENTITY,
        }
    }

    /// What it is for programs.
    const fn known_as(self) -> plinth_world::Cause {
        use plinth_world::Cause as Known;
        match self {
            Cause::Refused | Cause::NoSuchHost | Cause::Unroutable | Cause::Interrupted | Cause::Truncated => {
                Known::Unreachable
            }
            Cause::Timeout => Known::Timeout,
            Cause::UnknownAuthority => Known::UnknownAuthority,
            Cause::WrongName
            | Cause::Expired
            | Cause::AuthorityAsServer
            | Cause::BadCertificate
            | Cause::NotTls
            | Cause::OldTls
            | Cause::Handshake => Known::BadCertificate,
            Cause::Session | Cause::Credentials => Known::Credentials,
            Cause::UnknownCall | Cause::Rejected => Known::Refused,
            Cause::Server | Cause::TooLarge | Cause::Redirect | Cause::BadReply | Cause::BadEntity => Known::BadAnswer,
        }
    }

    /// What to try.
    fn attempt(self) -> &'static str {
        match self {
            Cause::Refused | Cause::NotTls => {
                "check that CMDaemon (service `cmd`) runs on the head node and that the endpoint names its TLS port, usually 8081"
            }
            Cause::NoSuchHost => "correct the host in inventory.bcm.endpoint, or give its address",
            Cause::Unroutable => "open the way from this machine to the head node",
            Cause::Timeout => "check that no firewall drops packets on the way, and the load of the head node",
            Cause::UnknownAuthority => "get BCM's CA certificate and name it: inventory.bcm.tls: {caFile: FILE}",
            Cause::WrongName => "use a name that the certificate has in inventory.bcm.endpoint",
            Cause::Expired => "renew BCM's certificate, and check the clocks of both machines",
            Cause::AuthorityAsServer => {
                "name exactly this certificate as caFile, which then counts as a pin of it; or give BCM a server (leaf) certificate; or write `tls: {insecure: true}`, which is then a finding in every plan"
            }
            Cause::BadCertificate => "give BCM a valid certificate",
            Cause::Handshake => {
                "with certificate login, check that BCM's own authority made the certificate and that it is valid"
            }
            Cause::OldTls => {
                "let what answers there speak TLS 1.2 or 1.3: BCM 9.0 and newer do, so look whether the endpoint names something else, such as a proxy or a BMC"
            }
            Cause::Interrupted | Cause::Server | Cause::Truncated => "look into CMDaemon's log on the head node",
            Cause::Session | Cause::Credentials => {
                "check user name and password, or the client certificate, of inventory.bcm"
            }
            Cause::UnknownCall => "check that it is BCM 10 or newer, and that the user's profile allows this call",
            Cause::Redirect => "name the head node itself as endpoint; redirects are never followed with credentials",
            Cause::Rejected => "fix what BCM complains about",
            Cause::BadEntity => {
                "look at this entity in cmsh; if it looks right there, report it to the makers of plinth"
            }
            Cause::TooLarge | Cause::BadReply => {
                "check with `curl` what answers at this endpoint; if it is BCM, report its release and this message to the makers of plinth"
            }
        }
    }

    /// Why trying again may help; none: it will not.
    fn transient(self) -> Option<&'static str> {
        match self {
            Cause::Refused => Some("CMDaemon may be starting"),
            Cause::NoSuchHost => Some("the name service may be away"),
            Cause::Unroutable => Some("routes come back"),
            Cause::Interrupted => Some("the connection broke"),
            Cause::Timeout => Some("no answer in time"),
            Cause::Server => Some("CMDaemon is in trouble"),
            Cause::Truncated => Some("the reply broke off"),
            _ => None,
        }
    }
}

impl Failure {
    pub(super) fn new(cause: Cause, happened: impl Into<String>) -> Self {
        Self { cause, happened: happened.into(), login: false }
    }

    /// Whether trying again may help.
    pub(super) fn is_transient(&self) -> bool {
        self.cause.transient().is_some()
    }

    /// The same, of the login.
    pub(super) fn in_login(mut self) -> Self {
        self.login = true;
        self
    }

    /// The error for people. `happened` must hold no secret any more.
    pub(super) fn into_error(self, doing: String, endpoint: &str) -> ClientError {
        let attempt = self.cause.attempt();
        let mut finding = Finding::error(self.cause.code(), endpoint, self.happened.clone()).fix(attempt);
        if self.cause == Cause::Unroutable {
            finding = finding.owner(Owner::NetworkTeam);
        }
        let finding = finding.evidence(doing.clone());
        let error = ClientError::new("bcm", doing)
            .happened(self.happened)
            .attempt(attempt)
            .because(self.cause.known_as())
            .finding(finding);
        match self.cause.transient() {
            Some(why) => error.transient(why),
            None => error,
        }
    }

    /// From a failed exchange. Nothing of the request is quoted.
    pub(super) fn of_http(error: &reqwest::Error) -> Self {
        Self::from(Fault::of_http(error))
    }
}

impl From<ReplyError> for Failure {
    fn from(error: ReplyError) -> Self {
        let cause = match &error {
            ReplyError::NotLoggedIn(_) => Cause::Session,
            ReplyError::UnknownCall => Cause::UnknownCall,
            ReplyError::Redirect(_) => Cause::Redirect,
            ReplyError::Server(_) => Cause::Server,
            ReplyError::Truncated(_) => Cause::Truncated,
            ReplyError::TooManyValues => Cause::TooLarge,
            ReplyError::Status(_) | ReplyError::NotJson { .. } => Cause::BadReply,
            ReplyError::Refused { .. } | ReplyError::Reported(_) => Cause::Rejected,
        };
        Self::new(cause, error.to_string())
    }
}

impl From<EntityError> for Failure {
    fn from(error: EntityError) -> Self {
        Self::new(Cause::BadEntity, error.to_string())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let (cause, happened) = match fault {
            Fault::NothingListens => (Cause::Refused, "connection refused: nothing listens there"),
            Fault::NoSuchHost => (Cause::NoSuchHost, "the host name has no address"),
            Fault::NoRoute => (Cause::Unroutable, "there is no way to the host"),
            Fault::Interrupted => (Cause::Interrupted, "the connection ended before the reply was complete"),
            Fault::Timeout => (Cause::Timeout, "no answer came in time"),
            Fault::UnknownAuthority => {
                (Cause::UnknownAuthority, "the certificate is signed by an authority that is not trusted here")
            }
            Fault::AnotherAuthority => (
                Cause::UnknownAuthority,
                "the certificate is signed by an authority of the same name but with another key: the caFile may be of an earlier installation",
            ),
            Fault::WrongName => (Cause::WrongName, "the certificate is for another name than the endpoint's"),
            Fault::Expired => (Cause::Expired, "the certificate has expired"),
            Fault::NotYetValid => (Cause::Expired, "the certificate is not valid yet"),
            Fault::AuthorityAsServer => (
                Cause::AuthorityAsServer,
                "the server shows the certificate of an authority (CA:TRUE) as its own, and it is not the one in the caFile",
            ),
            Fault::NotTls => (Cause::NotTls, "what answers there does not speak TLS"),
            Fault::OldTls(why) => {
                return Self::new(
                    Cause::OldTls,
                    format!("the other side speaks no version of TLS from 1.2 on, or no safe cipher ({why})"),
                );
            }
            Fault::BadCertificate(why) => {
                return Self::new(Cause::BadCertificate, format!("the certificate cannot be used: {why}"));
            }
            Fault::HandshakeRefused(why) => {
                return Self::new(Cause::Handshake, format!("BCM refused the TLS handshake ({why})"));
            }
            Fault::Handshake(why) => {
                return Self::new(Cause::BadCertificate, format!("the TLS handshake failed: {why}"));
            }
        };
        Self::new(cause, happened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_as_server_has_its_own_sentence_and_fix() {
        let error = Failure::from(Fault::AuthorityAsServer).into_error("calling".to_owned(), "https://head:8081");
        assert!(error.happened.contains("CA:TRUE"), "{error}");
        assert!(error.attempt.contains("caFile") && error.attempt.contains("leaf"), "{error}");
        assert!(error.attempt.contains("insecure: true"), "{error}");
    }

    #[test]
    fn old_tls_is_no_matter_of_certificates() {
        let error = Failure::from(Fault::OldTls("protocol version".to_owned()))
            .into_error("calling".to_owned(), "https://head:8081");
        assert!(error.attempt.contains("TLS 1.2") && !error.attempt.contains("certificate"), "{error}");
    }

    #[test]
    fn words_of_the_handshake_stay_in_the_sentence() {
        let refused = Failure::from(Fault::HandshakeRefused("bad certificate".to_owned()));
        assert_eq!(
            (refused.cause, &*refused.happened),
            (Cause::Handshake, "BCM refused the TLS handshake (bad certificate)")
        );
        let bad = Failure::from(Fault::BadCertificate("bad encoding".to_owned()));
        assert_eq!(
            (bad.cause, &*bad.happened),
            (Cause::BadCertificate, "the certificate cannot be used: bad encoding")
        );
    }
}
