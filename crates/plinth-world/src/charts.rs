//! Packages of charts: fetched, checked and kept on this machine.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::Version;
use plinth_model::steps::Release;
use std::path::PathBuf;

/// A package that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartPackage {
    /// The archive, `.tgz`.
    pub file: PathBuf,
    /// Version of the chart, as the package says.
    pub version: Version,
    /// SHA-256 of the archive.
    pub digest: String,
}

/// Gives the package of a release's chart.
#[async_trait]
pub trait ChartPackages: Send + Sync {
    /// The package, fetched if it is not here yet.
    async fn package(&self, ctx: &Context, release: &Release) -> ClientResult<ChartPackage>;
}
