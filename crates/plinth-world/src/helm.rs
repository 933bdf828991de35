//! The Helm client. The real client is not in this release.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::steps::Release;
use plinth_model::{Digest, ReleaseName, Values, Version};
use std::time::Duration;

/// A release as helm knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseState {
    /// Chart version, as the package says (`1.16.0` where the index says `v1.16.0`). One that cannot be read is the client's error.
    pub version: Version,
    /// Digest of the values, secrets not included ([`values_digest`]).
    pub values: Digest,
    /// `deployed`, `failed`, `pending-install`, ...
    pub status: String,
}

/// Digest of values as they stand in a plan: secrets are references there, so it never depends on a secret.
#[must_use]
pub fn values_digest(values: &Values) -> Digest {
    Digest::of(values)
}

/// Helm.
#[async_trait]
pub trait HelmClient: Send + Sync {
    /// The release, if there is one.
    async fn release(&self, ctx: &Context, namespace: &str, name: &str) -> ClientResult<Option<ReleaseState>>;
    /// Installs or upgrades and waits. Stale hook Jobs are removed before. Harmless to repeat.
    async fn upgrade(&self, ctx: &Context, release: &Release) -> ClientResult<()>;
    /// Uninstalls the release with its history, and waits until what it made is gone. What helm keeps on purpose stays: its
    /// namespace, custom resource definitions that are no templates, claims of volumes. A release that is not there is fine.
    async fn uninstall(&self, ctx: &Context, release: &ReleaseName, limit: Duration) -> ClientResult<()>;
}
