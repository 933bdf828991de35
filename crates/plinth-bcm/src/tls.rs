//! TLS towards BCM: whom we believe, and what we show.

use crate::config::{BcmProof, BcmTrust};
use plinth_net::fault::sentence;
use plinth_net::trust::{Anybody, GivenCertificates, builder, certificates, system_roots};
use rustls::ClientConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;

/// The TLS side of a configuration, and what it believes if that is a file. The error is the sentence that says what is wrong; it quotes no
/// key.
pub(super) fn config(
    proof: &BcmProof,
    trust: &BcmTrust,
) -> Result<(ClientConfig, Option<Arc<GivenCertificates>>), String> {
    let (builder, provider) = builder()?;
    let mut given = None;
    let builder = match trust {
        BcmTrust::System => builder.with_root_certificates(system_roots()?),
        BcmTrust::CaPem(pem) => {
            let file = Arc::new(GivenCertificates::new(pem, provider)?);
            given = Some(Arc::clone(&file));
            builder.dangerous().with_custom_certificate_verifier(file)
        }
        BcmTrust::Insecure => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    let config = match proof {
        BcmProof::Password { .. } => builder.with_no_client_auth(),
        BcmProof::Certificate { certificate, key } => {
            let chain = certificates(certificate).map_err(|why| format!("the client certificate file {why}"))?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| "the client key is not a PEM private key".to_owned())?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("the client certificate and its key cannot be used: {}", sentence(&error)))?
        }
    };
    Ok((config, given))
}
