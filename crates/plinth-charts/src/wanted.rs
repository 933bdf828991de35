//! The package that is wanted, the package that was found, and how its digest is known.

use plinth_model::ChartVersion;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Whose word the digest of a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Trust {
    /// The catalog knows the package's digest.
    Catalog,
    /// The catalog knows the digest of the registry's manifest, which names the package's.
    Manifest,
    /// The repository's index or the registry told it, once, over TLS.
    Repository,
    /// Nobody told it: the package was taken as it came, and has to stay so.
    FirstUse,
}

/// A package that is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) chart: &'a str,
    pub(crate) selector: &'a ChartVersion,
    /// SHA-256 of the package, if it is known, and from whom.
    pub(crate) digest: Option<String>,
    pub(crate) known_by: Option<Trust>,
    /// SHA-256 of the manifest in a registry, if the catalog knows it.
    pub(crate) manifest: Option<&'a str>,
}

impl Wanted<'_> {
    /// Whose word the digest was before anybody was asked; none: it is not known.
    pub(crate) fn trust(&self) -> Option<Trust> {
        self.digest.as_ref().and(self.known_by)
    }
}

/// A package that came.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) bytes: Vec<u8>,
    /// Where it lies, if it is on this machine.
    pub(crate) file: Option<PathBuf>,
    pub(crate) digest: String,
    /// SHA-256 of the manifest that named it.
    pub(crate) manifest: Option<String>,
    pub(crate) trust: Trust,
}
