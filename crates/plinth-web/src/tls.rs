//! TLS of a page that is served beyond this machine, from files that somebody gives.

use plinth_model::Problem;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files, as PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate with those above it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Who signed the certificates of readers that need no token.
    pub clients: Option<PathBuf>,
}

/// The server's side of TLS.
///
/// # Errors
/// When a file cannot be read, or does not hold what it should.
pub(crate) fn config(files: &TlsFiles) -> Result<Arc<ServerConfig>, Problem> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unread(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unread(&files.certificate, &error))?;
    let builder = match &files.clients {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| unread(file, &error))?;
            }
            // Who shows none may still have the token.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| unread(file, &error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| unread(&files.key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unread(file, &error))?;
    if found.is_empty() {
        return Err(unread(file, &"there is no certificate in it"));
    }
    Ok(found)
}

fn unread(file: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::while_doing("reading the TLS files of the page")
        .to(file.display())
        .wrong_input(error)
        .try_this("give files in PEM form; the key must fit the certificate")
}
