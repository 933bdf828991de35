//! The program `helm`: which releases of it plinth knows how to speak to, and who gives one.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::Version;
use std::path::PathBuf;

/// A major release of helm. Options differ between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelmMajor {
    /// 3.14 and newer: labels of a release, which are how a package is remembered, came with 3.13, and waiting for what an
    /// uninstallation leaves behind became dependable with 3.14.
    Three,
    /// 4.
    Four,
}

impl HelmMajor {
    /// The releases that fit, in words.
    pub const WANTED: &str = "3.14 or newer, or 4";

    /// The one that a version belongs to; none: plinth does not know how to speak to it.
    #[must_use]
    pub fn of(version: &Version) -> Option<Self> {
        // A release that was built from source says `v3.18`, without the third number.
        let version = version.semver();
        match (version.major, version.minor) {
            (3, 14..) => Some(Self::Three),
            (4, _) => Some(Self::Four),
            _ => None,
        }
    }
}

/// A helm that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helm {
    /// Where the executable is; started as it is, without a search.
    pub program: PathBuf,
    /// Its version, as it says itself, or as its pin does.
    pub version: Version,
    /// How it is spoken to.
    pub major: HelmMajor,
}

impl Helm {
    /// A program that says that it is this version; none: it does not fit.
    #[must_use]
    pub fn new(program: PathBuf, version: Version) -> Option<Self> {
        HelmMajor::of(&version).map(|major| Self { program, version, major })
    }
}

/// Gives the program `helm`: one that is here, or one that is fetched.
#[async_trait]
pub trait HelmPrograms: Send + Sync {
    /// One that fits; the pinned one is fetched when there is none.
    async fn program(&self, ctx: &Context) -> ClientResult<Helm>;
    /// One that fits and is here already. Nothing is fetched. None: there is none.
    async fn at_hand(&self, ctx: &Context) -> ClientResult<Option<Helm>>;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn releases_that_are_known_fit() {
        for (version, want) in [
            ("v3.13.9", None),
            ("v3.14.0", Some(HelmMajor::Three)),
            ("v3.18", Some(HelmMajor::Three)),
            ("v4.0.0", Some(HelmMajor::Four)),
            ("v4.3.2+g123", Some(HelmMajor::Four)),
            ("v5.0.0", None),
            ("v2.17.0", None),
        ] {
            assert_eq!(HelmMajor::of(&version.parse().unwrap()), want, "{version}");
        }
    }
}
