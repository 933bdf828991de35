//! Certificates of the simulated BCM, made anew for each one.

use super::SimBcmError;
use crate::served::ServedCertificate;
use plinth_model::Secret;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;

/// What the daemon's certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimCertificate {
    /// Names and addresses it is for.
    pub names: Vec<String>,
    /// Whether it is out of date.
    pub expired: bool,
}

impl Default for SimCertificate {
    fn default() -> Self {
        Self { names: vec!["127.0.0.1".to_owned(), "localhost".to_owned()], expired: false }
    }
}

/// A client certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct ClientPair {
    /// PEM; signed by the daemon's own authority.
    pub certificate: String,
    /// Private key.
    pub key: Secret,
}

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self, SimBcmError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = KeyPair::generate().and_then(|key| CertifiedIssuer::self_signed(params, key));
        issuer.map(Self).map_err(SimBcmError::of("making a certificate authority"))
    }

    /// Its certificate, PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A pair for logging in.
    pub(crate) fn client(&self, name: &str) -> Result<ClientPair, SimBcmError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = self.sign(params).map_err(SimBcmError::of("making a client certificate"))?;
        Ok(ClientPair { certificate: leaf.certificate.pem(), key: Secret::new(leaf.key.serialize_pem()) })
    }

    fn server(&self, certificate: &SimCertificate) -> Result<Leaf, rcgen::Error> {
        let mut params = CertificateParams::new(certificate.names.clone())?;
        params
            .distinguished_name
            .push(DnType::CommonName, certificate.names.first().map_or("CMDaemon", String::as_str));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if certificate.expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Result<Leaf, rcgen::Error> {
        let key = KeyPair::generate()?;
        Ok(Leaf { certificate: params.signed_by(&key, &self.0)?, key })
    }

    fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }
}

/// The daemon's side of TLS. Client certificates of `clients` are asked for, not demanded.
pub(crate) fn server_config(
    authority: &Authority,
    clients: &Authority,
    certificate: &SimCertificate,
) -> Result<ServerConfig, SimBcmError> {
    let leaf = authority.server(certificate).map_err(SimBcmError::of("making the daemon's certificate"))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
    let chain = vec![leaf.certificate.der().clone(), authority.der()];
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(clients.der()).map_err(SimBcmError::of("trusting the client authority"))?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(SimBcmError::of("checking client certificates"))?;
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_client_cert_verifier(verifier).with_single_cert(chain, key))
        .map_err(SimBcmError::of("setting up TLS"))
}

/// TLS with somebody else's certificate; nobody is asked for one.
pub(crate) fn served_config(served: &ServedCertificate) -> Result<ServerConfig, SimBcmError> {
    let chain = CertificateDer::pem_slice_iter(served.chain.as_bytes()).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(SimBcmError::of("reading the given certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(served.key.expose().as_bytes());
    let key = key.map_err(SimBcmError::of("reading the given key"))?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(SimBcmError::of("setting up TLS"))
}
