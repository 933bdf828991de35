//! TLS towards BCM: whom we believe, and what we show. The crypto provider is given explicitly; no process-wide default is set.

use crate::config::{BcmProof, BcmTrust};
use crate::handshake::sentence;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// The TLS side of a configuration. The error is the sentence that says what is wrong; it quotes no key.
pub(super) fn config(proof: &BcmProof, trust: &BcmTrust) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {}", sentence(&error)))?;
    let builder = match trust {
        BcmTrust::System => builder.with_root_certificates(system_roots()?),
        BcmTrust::CaPem(pem) => builder.with_root_certificates(given_roots(pem)?),
        BcmTrust::Insecure => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    match proof {
        BcmProof::Password { .. } => Ok(builder.with_no_client_auth()),
        BcmProof::Certificate { certificate, key } => {
            let chain = certificates(certificate).map_err(|why| format!("the client certificate file {why}"))?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| "the client key is not a PEM private key".to_owned())?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("the client certificate and its key cannot be used: {}", sentence(&error)))
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| "is not PEM".to_owned())?;
    if found.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(found) }
}

fn given_roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem).map_err(|why| format!("the CA file {why}"))? {
        roots
            .add(certificate)
            .map_err(|error| format!("the CA file holds a certificate that is no authority: {}", sentence(&error)))?;
    }
    Ok(roots)
}

/// The machine's own roots. Single unreadable ones are left out; none at all is an error.
fn system_roots() -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err("this machine trusts no authority at all".to_owned()) } else { Ok(roots) }
}

/// Believes anybody; signatures are still checked, so the peer holds the key of whatever certificate it showed.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

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
