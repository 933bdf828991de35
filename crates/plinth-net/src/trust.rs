//! Whom a TLS client believes. The crypto provider is given explicitly; no process-wide default is set.

use crate::fault::{Fault, sentence};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// All certificates of a PEM text.
///
/// # Errors
/// The end of a sentence, when it is not PEM or holds none.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| "is not PEM".to_owned())?;
    if found.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(found) }
}

/// The machine's own roots. Single unreadable ones are left out.
///
/// # Errors
/// A sentence, when there is none at all.
pub fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err("this machine trusts no authority at all".to_owned()) } else { Ok(roots) }
}

/// The beginning of every configuration of a client, and the provider that verifiers of its own need.
///
/// # Errors
/// A sentence, when TLS cannot be set up.
pub fn builder() -> Result<(ConfigBuilder<ClientConfig, WantsVerifier>, Arc<CryptoProvider>), String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    Ok((builder.map_err(|error| format!("TLS cannot be set up: {}", sentence(&error)))?, provider))
}

/// A client that shows no certificate and believes these authorities. With none of them every server is refused by its certificate.
///
/// # Errors
/// As [`builder`].
pub fn config_with_roots(roots: RootCertStore) -> Result<ClientConfig, String> {
    Ok(builder()?.0.with_root_certificates(roots).with_no_client_auth())
}

/// A client that shows no certificate and believes a CA file as [`GivenCertificates`] does, or without one the machine's own roots.
///
/// # Errors
/// A sentence, when the file cannot be used, or the machine trusts nobody.
pub fn client_config(authority: Option<&[u8]>) -> Result<ClientConfig, String> {
    let Some(pem) = authority else { return config_with_roots(system_roots()?) };
    let (builder, provider) = builder()?;
    let given = GivenCertificates::new(pem, provider)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(given)).with_no_client_auth())
}

/// Believes what the certificates of a file sign, and nothing else; and where a server shows exactly one of them as its own, that one:
/// a pin. Its names and its time are checked then as always, so only the rule falls that an authority is no server.
#[derive(Debug)]
pub struct GivenCertificates {
    chains: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
    pinned: AtomicBool,
}

impl GivenCertificates {
    /// From the content of a CA file.
    ///
    /// # Errors
    /// A sentence, when it holds no certificate, or one that cannot be an authority.
    pub fn new(pem: &[u8], provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let given = certificates(pem).map_err(|why| format!("the CA file {why}"))?;
        let mut roots = RootCertStore::empty();
        for certificate in &given {
            roots.add(certificate.clone()).map_err(|error| {
                format!("the CA file holds a certificate that is no authority: {}", sentence(&error))
            })?;
        }
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| format!("the CA file cannot be used: {error}"))?;
        Ok(Self { chains, given, pinned: AtomicBool::new(false) })
    }

    /// Whether a server was believed because it showed exactly a certificate of the file, and not for who signed it.
    #[must_use]
    pub fn has_pinned(&self) -> bool {
        self.pinned.load(Ordering::Relaxed)
    }

    fn pin(
        &self,
        shown: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
        refusal: rustls::Error,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if Fault::of_tls(&refusal) != Fault::AuthorityAsServer || !self.given.iter().any(|given| given == shown) {
            return Err(refusal);
        }
        within_its_time(shown, now)?;
        verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
        self.pinned.store(true, Ordering::Relaxed);
        Ok(ServerCertVerified::assertion())
    }
}

fn within_its_time(shown: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let (_, certificate) = X509Certificate::from_der(shown).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).map_err(|_| CertificateError::Expired)?;
    if now < certificate.validity().not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > certificate.validity().not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

impl ServerCertVerifier for GivenCertificates {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.chains
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .or_else(|refusal| self.pin(end_entity, server_name, now, refusal))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Believes anybody; signatures are still checked, so the peer holds the key of whatever certificate it showed.
#[derive(Debug)]
pub struct Anybody(pub Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use std::time::Duration;

    fn authority(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        (params, KeyPair::generate().unwrap())
    }

    fn given(pem: &str) -> GivenCertificates {
        GivenCertificates::new(pem.as_bytes(), Arc::new(rustls::crypto::ring::default_provider())).unwrap()
    }

    fn at(year: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_557_600 + 1_000_000))
    }

    fn check(given: &GivenCertificates, shown: &CertificateDer<'_>, name: &str, year: u64) -> Result<(), Fault> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let checked = given.verify_server_cert(shown, &[], &name, &[], at(year));
        checked.map(drop).map_err(|error| Fault::of_tls(&error))
    }

    #[test]
    fn a_server_that_shows_exactly_the_given_certificate_is_believed_and_that_is_told() {
        let (params, key) = authority("head");
        let own = params.self_signed(&key).unwrap();
        let file = given(&own.pem());
        assert!(!file.has_pinned());
        assert_eq!(check(&file, own.der(), "head", 2026), Ok(()));
        assert!(file.has_pinned());
    }

    #[test]
    fn a_pin_is_for_that_very_certificate_for_its_names_and_for_its_time() {
        let (params, key) = authority("head");
        let own = params.self_signed(&key).unwrap();
        let file = given(&own.pem());
        assert_eq!(check(&file, own.der(), "other", 2026), Err(Fault::WrongName));
        assert_eq!(check(&file, own.der(), "head", 2041), Err(Fault::Expired));
        assert_eq!(check(&file, own.der(), "head", 2019), Err(Fault::NotYetValid));
        let another = authority("head").0.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(check(&file, another.der(), "head", 2026), Err(Fault::AuthorityAsServer));
        assert!(!file.has_pinned());
    }

    #[test]
    fn every_other_chain_is_judged_as_before() {
        let (params, key) = authority("authority");
        let own = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let leaf = |issuer: &Issuer<'_, KeyPair>| {
            let mut params = CertificateParams::new(vec!["head".to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2040, 1, 1);
            params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap()
        };
        let file = given(&own.pem());
        assert_eq!(check(&file, leaf(&issuer).der(), "head", 2026), Ok(()));
        assert_eq!(check(&file, leaf(&issuer).der(), "other", 2026), Err(Fault::WrongName));
        for (name, refusal) in [("stranger", Fault::UnknownAuthority), ("authority", Fault::AnotherAuthority)] {
            let (params, key) = authority(name);
            assert_eq!(check(&file, leaf(&Issuer::new(params, key)).der(), "head", 2026), Err(refusal), "{name}");
        }
        assert!(!file.has_pinned());
    }
}
