//! What went wrong between here and a server: one name for each cause, whoever asks. Clients dress it with their own words, owner
//! and fix.

use plinth_world::Cause;
use rustls::{AlertDescription, CertificateError as Certificate, Error as Tls};
use std::error::Error;
use std::io::{self, ErrorKind};

/// The name that the certificate checks give to an authority's certificate where a server's should be. Only the text can be
/// compared: the type belongs to a library below the TLS library.
const AUTHORITY_AS_SERVER: &str = "CaUsedAsEndEntity";

/// Why an exchange over TCP, TLS or HTTP failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The host answers, and refuses the connection at that port.
    NothingListens,
    /// The host name has no address.
    NoSuchHost,
    /// No way there.
    NoRoute,
    /// The connection broke.
    Interrupted,
    /// No answer in time.
    Timeout,
    /// A certificate of an authority that is not trusted here.
    UnknownAuthority,
    /// A certificate of an authority that has the name of a trusted one and another key.
    AnotherAuthority,
    /// A certificate for other names.
    WrongName,
    /// A certificate whose time is over.
    Expired,
    /// A certificate whose time has not begun.
    NotYetValid,
    /// The certificate of an authority, shown as if it were a server's own.
    AuthorityAsServer,
    /// A certificate that cannot be used for another reason, in words.
    BadCertificate(String),
    /// The peer speaks no version of TLS, or no cipher, that is taken here, in words.
    OldTls(String),
    /// The peer refused the handshake, in words: mostly our certificate.
    HandshakeRefused(String),
    /// The peer does not speak TLS.
    NotTls,
    /// The handshake failed in another way, in words.
    Handshake(String),
}

impl Fault {
    /// The fault in a chain of sources. What is nearest to TLS counts, then what is nearest to the socket; none: the chain says neither.
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(tls) = first::<Tls>(error) {
            return Some(Self::of_tls(tls));
        }
        if let Some(fault) = first::<io::Error>(error).and_then(Self::of_io) {
            return Some(fault);
        }
        names_lookup(error).then_some(Self::NoSuchHost)
    }

    /// The fault of an exchange over HTTP: as [`Fault::find`], and what the HTTP library itself knows.
    #[must_use]
    pub fn of_http(error: &reqwest::Error) -> Self {
        match Self::find(error) {
            Some(Self::Interrupted | Self::NoSuchHost) | None if error.is_timeout() => Self::Timeout,
            Some(fault) => fault,
            None if error.is_connect() => Self::NoRoute,
            None => Self::Interrupted,
        }
    }

    /// The fault of a handshake.
    #[must_use]
    pub fn of_tls(error: &Tls) -> Self {
        match error {
            Tls::InvalidCertificate(certificate) => Self::of_certificate(certificate),
            Tls::AlertReceived(
                alert @ (AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity),
            ) => Self::OldTls(in_words(&format!("{alert:?}"))),
            Tls::PeerIncompatible(why) => Self::OldTls(in_words(&format!("{why:?}"))),
            Tls::AlertReceived(alert) => Self::HandshakeRefused(in_words(&format!("{alert:?}"))),
            Tls::InvalidMessage(_) => Self::NotTls,
            other => Self::Handshake(sentence(other)),
        }
    }

    fn of_certificate(error: &Certificate) -> Self {
        match error {
            Certificate::UnknownIssuer => Self::UnknownAuthority,
            Certificate::BadSignature => Self::AnotherAuthority,
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => Self::WrongName,
            Certificate::Expired | Certificate::ExpiredContext { .. } => Self::Expired,
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => Self::NotYetValid,
            Certificate::Other(other) if other.to_string() == AUTHORITY_AS_SERVER => Self::AuthorityAsServer,
            other => Self::BadCertificate(certificate(other)),
        }
    }

    fn of_io(error: &io::Error) -> Option<Self> {
        Some(match error.kind() {
            ErrorKind::ConnectionRefused => Self::NothingListens,
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => Self::Interrupted,
            ErrorKind::TimedOut => Self::Timeout,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Self::NoRoute,
            _ => return None,
        })
    }

    /// What happened, for people; "it" is the server.
    #[must_use]
    pub fn sentence(&self) -> String {
        let plain = match self {
            Self::NothingListens => "nothing listens there",
            Self::NoSuchHost => "this machine finds no address for its name",
            Self::NoRoute => "there is no way there from this machine",
            Self::Interrupted => "the connection broke before the answer was complete",
            Self::Timeout => "there was no answer in time",
            Self::UnknownAuthority => "its certificate is signed by an authority that is not trusted here",
            Self::AnotherAuthority => {
                "its certificate is signed by an authority of a trusted one's name and another key"
            }
            Self::WrongName => "its certificate is for another name",
            Self::Expired => "its certificate has expired",
            Self::NotYetValid => "its certificate is not valid yet",
            Self::AuthorityAsServer => "it shows the certificate of an authority as its own",
            Self::NotTls => "what listens there does not speak TLS",
            Self::BadCertificate(why) => return format!("its certificate cannot be used: {why}"),
            Self::OldTls(why) => return format!("it speaks no TLS that is taken here: {why}"),
            Self::HandshakeRefused(why) | Self::Handshake(why) => return format!("the TLS handshake failed: {why}"),
        };
        plain.to_owned()
    }

    /// What it is for programs.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::NothingListens | Self::NoSuchHost | Self::NoRoute | Self::Interrupted => Cause::Unreachable,
            Self::Timeout => Cause::Timeout,
            Self::UnknownAuthority | Self::AnotherAuthority => Cause::UnknownAuthority,
            Self::WrongName
            | Self::Expired
            | Self::NotYetValid
            | Self::AuthorityAsServer
            | Self::BadCertificate(_)
            | Self::NotTls
            | Self::OldTls(_)
            | Self::Handshake(_) => Cause::BadCertificate,
            // By whom, and whether it was our certificate, only the client knows that shows one.
            Self::HandshakeRefused(_) => Cause::Refused,
        }
    }
}

/// Why a request failed, in words and for programs.
#[must_use]
pub fn failed_request(error: &reqwest::Error) -> (String, Cause) {
    let fault = Fault::of_http(error);
    let happened = match &fault {
        // The TLS library tells this in words for programmers.
        Fault::Interrupted if ends_early(error) => "the connection ended in the middle".to_owned(),
        // Both stand for what is not known better: the library's own words say more.
        Fault::NothingListens | Fault::NoRoute | Fault::Interrupted => deepest(error),
        known => known.sentence(),
    };
    (happened, fault.cause())
}

fn ends_early(error: &(dyn Error + 'static)) -> bool {
    first::<io::Error>(error).is_some_and(|error| error.kind() == ErrorKind::UnexpectedEof)
}

/// The sentence at the bottom of a chain of causes, which says most.
#[must_use]
pub fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// An error of the TLS library for people, also when it is about our own files.
#[must_use]
pub fn sentence(error: &Tls) -> String {
    match error {
        Tls::InvalidCertificate(error) => certificate(error),
        Tls::InconsistentKeys(_) => "the key does not belong to the certificate".to_owned(),
        Tls::PeerIncompatible(why) => {
            format!("the two sides share no way to speak TLS: {}", in_words(&format!("{why:?}")))
        }
        Tls::PeerMisbehaved(why) => {
            format!("the other side breaks the rules of TLS: {}", in_words(&format!("{why:?}")))
        }
        Tls::InvalidMessage(why) => format!("a message makes no sense: {}", in_words(&format!("{why:?}"))),
        Tls::AlertReceived(alert) => format!("the other side refuses: {}", in_words(&format!("{alert:?}"))),
        Tls::InvalidCertRevocationList(_) => "the list of revoked certificates cannot be used".to_owned(),
        Tls::InvalidEncryptedClientHello(_) => "the encrypted greeting failed".to_owned(),
        other => other.to_string(),
    }
}

fn certificate(error: &Certificate) -> String {
    match error {
        Certificate::Other(other) => in_words(&other.to_string()),
        other => in_words(&format!("{other:?}")),
    }
}

/// `UnsupportedCertVersion` and what may stand in brackets behind it, as words: `unsupported cert version`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars().take_while(char::is_ascii_alphanumeric) {
        if letter.is_ascii_uppercase()
            && words.ends_with(|last: char| last.is_ascii_lowercase() || last.is_ascii_digit())
        {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    if words.is_empty() { "no reason is given".to_owned() } else { words }
}

/// The first error of a kind in a chain of sources. An I/O error hides what it wraps from `source`, so it is opened by hand.
fn first<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref::<E>() {
        return Some(found);
    }
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.and_then(|inner| first::<E>(inner)).or_else(|| error.source().and_then(first::<E>))
}

/// The HTTP library says so in words only.
fn names_lookup(error: &(dyn Error + 'static)) -> bool {
    error.to_string().starts_with("dns error") || error.source().is_some_and(names_lookup)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::{InconsistentKeys, OtherError, PeerIncompatible};
    use std::sync::Arc;

    /// An error whose text is its name, as those of the certificate checks are.
    #[derive(Debug)]
    struct Named(&'static str);

    impl std::fmt::Display for Named {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Named {}

    fn other(name: &'static str) -> Tls {
        Tls::InvalidCertificate(Certificate::Other(OtherError(Arc::new(Named(name)))))
    }

    #[test]
    fn a_trusted_self_signed_authority_is_recognised_in_the_check_itself() {
        let mut params = rcgen::CertificateParams::new(vec!["head".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let own = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(own.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let check =
            rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let (name, now) = ("head".try_into().unwrap(), rustls::pki_types::UnixTime::now());
        let error = check.verify_server_cert(own.der(), &[], &name, &[], now).unwrap_err();
        assert_eq!(Fault::of_tls(&error), Fault::AuthorityAsServer, "{error:?}");
        assert_eq!(Fault::of_tls(&other(AUTHORITY_AS_SERVER)), Fault::AuthorityAsServer);
    }

    #[test]
    fn no_name_of_code_reaches_people() {
        let bad = |words: &str| Fault::BadCertificate(words.to_owned());
        let failed = |words: &str| Fault::Handshake(words.to_owned());
        let cases = [
            (other("UnsupportedCertVersion"), bad("unsupported cert version")),
            (Tls::InvalidCertificate(Certificate::BadEncoding), bad("bad encoding")),
            (
                Tls::AlertReceived(AlertDescription::BadCertificate),
                Fault::HandshakeRefused("bad certificate".to_owned()),
            ),
            (Tls::PeerIncompatible(PeerIncompatible::Tls12NotOffered), Fault::OldTls("tls12 not offered".to_owned())),
            (Tls::AlertReceived(AlertDescription::ProtocolVersion), Fault::OldTls("protocol version".to_owned())),
            (
                Tls::InconsistentKeys(InconsistentKeys::KeyMismatch),
                failed("the key does not belong to the certificate"),
            ),
        ];
        for (error, fault) in cases {
            assert_eq!(Fault::of_tls(&error), fault);
        }
    }

    #[test]
    fn an_early_end_is_told_from_other_interruptions() {
        assert!(ends_early(&io::Error::new(ErrorKind::UnexpectedEof, "peer closed connection")));
        assert!(!ends_early(&io::Error::from(ErrorKind::ConnectionReset)));
    }

    #[test]
    fn tls_counts_before_the_socket_and_wrapped_errors_are_opened() {
        let wrapped = io::Error::other(Tls::InvalidCertificate(Certificate::UnknownIssuer));
        assert_eq!(Fault::find(&wrapped), Some(Fault::UnknownAuthority));
        for (kind, fault) in [
            (ErrorKind::ConnectionRefused, Some(Fault::NothingListens)),
            (ErrorKind::ConnectionReset, Some(Fault::Interrupted)),
            (ErrorKind::TimedOut, Some(Fault::Timeout)),
            (ErrorKind::NetworkUnreachable, Some(Fault::NoRoute)),
            (ErrorKind::PermissionDenied, None),
        ] {
            assert_eq!(Fault::find(&io::Error::from(kind)), fault, "{kind}");
        }
        assert_eq!(Fault::find(&Named("dns error: no record")), Some(Fault::NoSuchHost));
    }
}
