//! Things plinth makes once and keeps: certificate authorities, leaf certificates, key pairs. Kept in the state directory,
//! private halves mode 0600.

mod chain;
mod file;
mod issue;
mod node_key;

pub use chain::uncovered;
pub use file::FileKeystore;
pub use node_key::NODE_KEY;

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::Observed;
use plinth_model::steps::{CertificateSource, KeyAlgorithm};

/// A certificate as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateState {
    /// DNS names (and addresses, if any) of the leaf.
    pub names: Vec<String>,
    /// Days left before the leaf expires.
    pub days_left: i64,
    /// SHA-256 fingerprint of the leaf, hexadecimal.
    pub fingerprint: String,
}

/// Keys and certificates.
#[async_trait]
pub trait Keystore: Send + Sync {
    /// The certificate of that name, if there is one. Anything that does not parse or does not match its key is an error.
    async fn certificate(&self, ctx: &Context, name: &str) -> ClientResult<Observed<CertificateState>>;
    /// Makes (or takes over from files) the certificate. The authority is made once and reused for new leaves.
    async fn make_certificate(
        &self,
        ctx: &Context,
        name: &str,
        names: &[String],
        source: &CertificateSource,
    ) -> ClientResult<CertificateState>;
    /// Differences between the kept certificate and its source: a file that was renewed since. Empty when there are none, or
    /// when the keystore cannot tell, which is what the default says.
    async fn source_differs(
        &self,
        _ctx: &Context,
        _name: &str,
        _source: &CertificateSource,
    ) -> ClientResult<Vec<String>> {
        Ok(Vec::new())
    }
    /// Fingerprint of our public key for nodes; makes the pair, of this algorithm, if there is none. A kept pair stays, whatever
    /// its algorithm.
    async fn ssh_key(&self, ctx: &Context, algorithm: KeyAlgorithm) -> ClientResult<String>;
}
