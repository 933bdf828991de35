//! Packages of Helm charts: fetched from where a release says, proved, and kept on this machine. The real ones are in `plinth-charts`.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::Version;
use plinth_model::steps::Release;
use std::path::PathBuf;

/// A chart as a file of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartPackage {
    /// The package, a gzipped tar archive that helm takes in place of a chart's name. Nobody writes to it any more.
    pub file: PathBuf,
    /// The version that the package itself says (`1.16.0` where the index says `v1.16.0`): the one that helm shows of a release.
    pub version: Version,
    /// SHA-256 of the package, lower-case hexadecimal digits.
    pub digest: String,
}

/// Gives the packages of charts.
#[async_trait]
pub trait ChartPackages: Send + Sync {
    /// The package of a release's chart, proved by its digest. A selector such as `~2.21.0` means one exact version, and the same one
    /// each time. What is already here needs no network.
    async fn package(&self, ctx: &Context, release: &Release) -> ClientResult<ChartPackage>;
    /// The same, if it can be had without the network: it is kept, or lies in a folder of packages. Nothing is chosen: a selector whose
    /// meaning is not known yet has none.
    async fn at_hand(&self, ctx: &Context, release: &Release) -> ClientResult<Option<ChartPackage>>;
}
