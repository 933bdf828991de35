//! The keystore of a rehearsal: real keys and certificates, made up for it. Files that the site gives are never read.

use async_trait::async_trait;
use plinth_keystore::{FileKeystore, SiteSecrets};
use plinth_model::steps::{CertificateRotation, CertificateSource, KeyAlgorithm, Outgoing};
use plinth_model::{CertificateName, Secret, SecretRef};
use plinth_ssh::KeptNodeKey;
use plinth_world::keystore::{CertificateState, Keystore, NodeKey};
use plinth_world::secrets::{SecretError, Secrets};
use plinth_world::{ClientResult, Context};
use std::path::Path;
use std::sync::Arc;

/// Days that a made-up authority and leaf are valid: as generated ones are by default.
const MADE_UP: CertificateSource = CertificateSource::Generated { authority_days: 3650, leaf_days: 825 };

const fn made_up(source: &CertificateSource) -> &CertificateSource {
    match source {
        CertificateSource::Generated { .. } => source,
        CertificateSource::Files { .. } => &MADE_UP,
    }
}

fn rehearsed(rotation: &CertificateRotation) -> CertificateRotation {
    CertificateRotation { source: made_up(&rotation.source).clone(), ..rotation.clone() }
}

/// Makes up what the site would give as files.
pub(crate) struct RehearsalKeystore(FileKeystore, KeptNodeKey);

impl RehearsalKeystore {
    /// Keeps everything below the state directory.
    pub(crate) fn new(directory: &Path) -> Self {
        let secrets: Arc<dyn Secrets> = Arc::new(OwnSecrets(SiteSecrets::new(directory)));
        Self(FileKeystore::new(directory, Arc::clone(&secrets)), KeptNodeKey::new(directory, secrets))
    }
}

#[async_trait]
impl Keystore for RehearsalKeystore {
    async fn certificate(&self, ctx: &Context, name: &str) -> ClientResult<Option<CertificateState>> {
        self.0.certificate(ctx, name).await
    }

    async fn make_certificate(
        &self,
        ctx: &Context,
        name: &str,
        names: &[CertificateName],
        source: &CertificateSource,
    ) -> ClientResult<CertificateState> {
        self.0.make_certificate(ctx, name, names, made_up(source)).await
    }

    async fn takes_trust(&self, ctx: &Context, name: &str, source: &CertificateSource) -> ClientResult<bool> {
        self.0.takes_trust(ctx, name, made_up(source)).await
    }

    async fn rotation(&self, ctx: &Context, name: &str) -> ClientResult<Option<Outgoing>> {
        self.0.rotation(ctx, name).await
    }

    async fn outgoing(
        &self,
        ctx: &Context,
        name: &str,
        names: &[CertificateName],
        source: &CertificateSource,
        authority: bool,
    ) -> ClientResult<Option<Outgoing>> {
        self.0.outgoing(ctx, name, names, made_up(source), authority).await
    }

    async fn rotation_differs(&self, ctx: &Context, rotation: &CertificateRotation) -> ClientResult<Vec<String>> {
        self.0.rotation_differs(ctx, &rehearsed(rotation)).await
    }

    async fn rotate(&self, ctx: &Context, rotation: &CertificateRotation) -> ClientResult<CertificateState> {
        self.0.rotate(ctx, &rehearsed(rotation)).await
    }
}

#[async_trait]
impl NodeKey for RehearsalKeystore {
    async fn ssh_key(&self, ctx: &Context, _: KeyAlgorithm) -> ClientResult<String> {
        // A rehearsal is quick: an Ed25519 pair is made in no time, whatever the site asks for.
        self.1.ssh_key(ctx, KeyAlgorithm::Ed25519).await
    }
}

/// Secrets that plinth makes and keeps by itself, in the rehearsal's own directory; never one of the site.
struct OwnSecrets(SiteSecrets);

impl Secrets for OwnSecrets {
    fn get(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        own(reference)?;
        self.0.get(reference)
    }

    fn find(&self, reference: &SecretRef) -> Result<Option<Secret>, SecretError> {
        own(reference)?;
        self.0.find(reference)
    }

    fn keep(&self, reference: &SecretRef, value: &Secret) -> Result<(), SecretError> {
        own(reference)?;
        self.0.keep(reference, value)
    }

    fn forget(&self, reference: &SecretRef) -> Result<(), SecretError> {
        own(reference)?;
        self.0.forget(reference)
    }

    fn redact(&self, text: &str) -> String {
        self.0.redact(text)
    }
}

fn own(reference: &SecretRef) -> Result<(), SecretError> {
    if matches!(reference, SecretRef::Generated(_)) {
        return Ok(());
    }
    Err(SecretError::new(reference, "a rehearsal reads no secret of the site"))
}
