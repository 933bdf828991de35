//! Why a TLS handshake failed, in words. The TLS library shows many of its errors as names of its own code only.

use crate::failure::{Cause, Failure};
use rustls::{CertificateError as Certificate, Error as Tls};

/// The name that the certificate checks give to an authority's certificate where a server's should be. Only the text can be
/// compared: the type belongs to a library below the TLS library.
const AUTHORITY_AS_SERVER: &str = "CaUsedAsEndEntity";

/// A failed handshake.
pub(super) fn failure(error: &Tls) -> Failure {
    let (cause, happened) = match error {
        Tls::InvalidCertificate(certificate) => of_certificate(certificate),
        Tls::AlertReceived(alert) => {
            (Cause::Handshake, format!("BCM refused the TLS handshake ({})", in_words(&format!("{alert:?}"))))
        }
        Tls::InvalidMessage(_) => (Cause::NotTls, "what answers there does not speak TLS".to_owned()),
        other => (Cause::BadCertificate, format!("the TLS handshake failed: {}", sentence(other))),
    };
    Failure::new(cause, happened)
}

fn of_certificate(error: &Certificate) -> (Cause, String) {
    let (cause, happened) = match error {
        Certificate::UnknownIssuer => {
            (Cause::UnknownAuthority, "the certificate is signed by an authority that is not trusted here")
        }
        Certificate::BadSignature => (
            Cause::UnknownAuthority,
            "the certificate is signed by an authority of the same name but with another key: the caFile may be of an earlier installation",
        ),
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
            (Cause::WrongName, "the certificate is for another name than the endpoint's")
        }
        Certificate::Expired | Certificate::ExpiredContext { .. } => (Cause::Expired, "the certificate has expired"),
        Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
            (Cause::Expired, "the certificate is not valid yet")
        }
        Certificate::Other(other) if other.to_string() == AUTHORITY_AS_SERVER => (
            Cause::AuthorityAsServer,
            "the server shows the certificate of an authority (CA:TRUE) as its own, which is not accepted even when it is trusted",
        ),
        other => return (Cause::BadCertificate, format!("the certificate cannot be used: {}", certificate(other))),
    };
    (cause, happened.to_owned())
}

/// An error of the TLS library for people, also when it is about our own files.
pub(super) fn sentence(error: &Tls) -> String {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::{AlertDescription, InconsistentKeys, OtherError, PeerIncompatible};
    use std::sync::Arc;

    /// An error whose text is its name, as those of the certificate checks are.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Named(&'static str);

    fn other(name: &'static str) -> Tls {
        Tls::InvalidCertificate(Certificate::Other(OtherError(Arc::new(Named(name)))))
    }

    #[test]
    fn an_authority_as_server_has_its_own_sentence_and_fix() {
        let error = failure(&other(AUTHORITY_AS_SERVER)).into_error("calling".to_owned(), "https://head:8081");
        assert!(error.happened.contains("CA:TRUE"), "{error}");
        assert!(error.attempt.contains("leaf") && error.attempt.contains("insecure: true"), "{error}");
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
        assert_eq!(failure(&error).cause, Cause::AuthorityAsServer, "{error:?}");
    }

    #[test]
    fn no_name_of_code_reaches_people() {
        let cases = [
            (other("UnsupportedCertVersion"), "the certificate cannot be used: unsupported cert version"),
            (Tls::InvalidCertificate(Certificate::BadEncoding), "the certificate cannot be used: bad encoding"),
            (Tls::AlertReceived(AlertDescription::BadCertificate), "BCM refused the TLS handshake (bad certificate)"),
            (
                Tls::PeerIncompatible(PeerIncompatible::Tls12NotOffered),
                "the TLS handshake failed: the two sides share no way to speak TLS: tls12 not offered",
            ),
            (
                Tls::InconsistentKeys(InconsistentKeys::KeyMismatch),
                "the TLS handshake failed: the key does not belong to the certificate",
            ),
        ];
        for (error, happened) in cases {
            assert_eq!(failure(&error).happened, happened);
        }
    }
}
