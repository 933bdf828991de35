//! The keystore of a rehearsal: real keys and certificates, made up for it. Files that the site gives are never read.

use async_trait::async_trait;
use plinth_model::work::CertificateSource;
use plinth_model::{Observed, Secret, SecretRef};
use plinth_world::keystore::{CertificateState, FileKeystore, Keystore};
use plinth_world::secrets::{SecretError, Secrets};
use plinth_world::{Context, DoorResult};
use std::path::Path;
use std::sync::Arc;

/// Days that a made-up authority and leaf are valid: as generated ones are by default.
const MADE_UP: CertificateSource = CertificateSource::Generated { authority_days: 3650, leaf_days: 825 };

/// Makes up what the site would give as files.
pub(crate) struct RehearsalKeystore(FileKeystore);

impl RehearsalKeystore {
    /// Keeps everything below the state directory.
    pub(crate) fn new(directory: &Path) -> Self {
        Self(FileKeystore::new(directory, Arc::new(NoSecrets)))
    }
}

#[async_trait]
impl Keystore for RehearsalKeystore {
    async fn certificate(&self, ctx: &Context, name: &str) -> DoorResult<Observed<CertificateState>> {
        self.0.certificate(ctx, name).await
    }

    async fn make_certificate(
        &self,
        ctx: &Context,
        name: &str,
        names: &[String],
        source: &CertificateSource,
    ) -> DoorResult<CertificateState> {
        let source = match source {
            CertificateSource::Generated { .. } => source,
            CertificateSource::Files { .. } => &MADE_UP,
        };
        self.0.make_certificate(ctx, name, names, source).await
    }

    async fn ssh_key(&self, ctx: &Context) -> DoorResult<String> {
        self.0.ssh_key(ctx).await
    }
}

/// Nothing that is made up needs a secret of the site.
struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        Err(SecretError { reference: reference.clone(), happened: "a rehearsal reads no secret of the site".to_owned() })
    }

    fn keep(&self, reference: &SecretRef, _value: &Secret) -> Result<(), SecretError> {
        self.get(reference).map(drop)
    }

    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}
