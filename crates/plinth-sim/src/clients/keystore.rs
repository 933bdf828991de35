//! A keystore for tests: nothing is a real certificate, nothing outlives the process.

use async_trait::async_trait;
use jiff::Timestamp;
use plinth_model::steps::{CertificateSource, KeyAlgorithm};
use plinth_model::{CertificateName, Digest};
use plinth_world::keystore::{CertificateState, Keystore, NodeKey};
use plinth_world::{ClientResult, Context};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Days that certificates from files are taken to be valid.
const FILES_DAYS: i64 = 365;

struct Kept {
    names: Vec<String>,
    fingerprint: String,
    until: Timestamp,
}

/// Keeps descriptions of certificates in memory.
#[derive(Default)]
pub struct MemoryKeystore {
    certificates: Mutex<BTreeMap<String, Kept>>,
}

impl MemoryKeystore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

fn state(kept: &Kept, now: Timestamp) -> CertificateState {
    let left = kept.until.duration_since(now).as_hours() / 24;
    CertificateState {
        names: kept.names.clone(),
        days_left: left,
        fingerprint: kept.fingerprint.clone(),
        authority: None,
    }
}

#[async_trait]
impl Keystore for MemoryKeystore {
    async fn certificate(&self, ctx: &Context, name: &str) -> ClientResult<Option<CertificateState>> {
        let certificates = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        let now = ctx.clock().now();
        Ok(certificates.get(name).map(|kept| state(kept, now)))
    }

    async fn make_certificate(
        &self,
        ctx: &Context,
        name: &str,
        names: &[CertificateName],
        source: &CertificateSource,
    ) -> ClientResult<CertificateState> {
        let now = ctx.clock().now();
        let days = match source {
            CertificateSource::Generated { leaf_days, .. } => i64::from(*leaf_days),
            CertificateSource::Files { .. } => FILES_DAYS,
        };
        let until = now.checked_add(jiff::SignedDuration::from_hours(days * 24)).unwrap_or(Timestamp::MAX);
        let fingerprint = Digest::of(&(name, names, now.to_string())).to_string();
        let kept = Kept { names: names.iter().map(ToString::to_string).collect(), fingerprint, until };
        let made = state(&kept, now);
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), kept);
        Ok(made)
    }
}

#[async_trait]
impl NodeKey for MemoryKeystore {
    async fn ssh_key(&self, _: &Context, _: KeyAlgorithm) -> ClientResult<String> {
        Ok(format!("SHA256:{}", Digest::of_bytes(b"rehearsal ssh key").short()))
    }
}
