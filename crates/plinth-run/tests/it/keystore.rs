//! What this machine keeps, and refuses here as everything else does.

use super::*;
use plinth_model::steps::{CertificateSource, KeyAlgorithm};
use plinth_world::keystore::{CertificateState, Keystore, NodeKey};

#[async_trait]
impl Keystore for Shut {
    async fn certificate(&self, _: &Context, _: &str) -> ClientResult<Option<CertificateState>> {
        refuse()
    }
    async fn make_certificate(
        &self,
        _: &Context,
        _: &str,
        _: &[plinth_model::CertificateName],
        _: &CertificateSource,
    ) -> ClientResult<CertificateState> {
        refuse()
    }
}

#[async_trait]
impl NodeKey for Shut {
    async fn ssh_key(&self, _: &Context, _: KeyAlgorithm) -> ClientResult<String> {
        refuse()
    }
}
