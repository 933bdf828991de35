//! Versions as people write them: with or without a leading `v`, with one, two or three numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A version, compared without its leading `v` and padded to three numbers; printed as it was written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Version {
    written: String,
    parsed: semver::Version,
}

/// A text that is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: write it like `v1.31.9` or `2.21`")]
pub struct VersionError(String);

impl Version {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// For comparison with requirements.
    #[must_use]
    pub fn semver(&self) -> &semver::Version {
        &self.parsed
    }

    /// `1.31` of `v1.31.9`.
    #[must_use]
    pub fn minor(&self) -> String {
        format!("{}.{}", self.parsed.major, self.parsed.minor)
    }

    /// Without a leading `v`: the form Kubespray wants from v2.28 on.
    #[must_use]
    pub fn bare(&self) -> &str {
        self.written.strip_prefix('v').unwrap_or(&self.written)
    }

    /// With a leading `v`: the form Kubespray wants up to v2.27.
    #[must_use]
    pub fn prefixed(&self) -> String {
        format!("v{}", self.bare())
    }

    /// The same version, written with a leading `v`.
    #[must_use]
    pub fn with_v(&self) -> Self {
        Self { written: self.prefixed(), parsed: self.parsed.clone() }
    }

    /// The same version, written without a leading `v`.
    #[must_use]
    pub fn without_v(&self) -> Self {
        Self { written: self.bare().to_owned(), parsed: self.parsed.clone() }
    }

    /// The same version, written with three numbers and no `v`.
    #[must_use]
    pub fn padded(&self) -> Self {
        Self { written: self.parsed.to_string(), parsed: self.parsed.clone() }
    }

    /// How many numbers were written: `2.21` has two, which is not a pin.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.bare().split(['-', '+']).next().map_or(0, |core| core.split('.').count())
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError(text.chars().take(60).collect());
        let bare = text.strip_prefix('v').unwrap_or(text);
        let split = bare.find(['-', '+']).unwrap_or(bare.len());
        let (core, suffix) = bare.split_at(split);
        let missing = 3usize.checked_sub(core.split('.').count()).ok_or_else(error)?;
        let padded = format!("{core}{}{suffix}", ".0".repeat(missing));
        let parsed = semver::Version::parse(&padded).map_err(|_| error())?;
        Ok(Self { written: text.to_owned(), parsed })
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;
    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.written
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parsed == other.parsed
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.parsed.cmp(&other.parsed)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.written)
    }
}

/// The version of a chart that helm is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum ChartVersion {
    /// This version and no other.
    Exact(Version),
    /// The newest patch of a line, from this one on; written `~2.21.0`.
    Line(Version),
}

impl ChartVersion {
    /// The version named; of a line, its first.
    #[must_use]
    pub const fn version(&self) -> &Version {
        match self {
            ChartVersion::Exact(version) | ChartVersion::Line(version) => version,
        }
    }

    /// The version, when it is one; none for a line.
    #[must_use]
    pub const fn exact(&self) -> Option<&Version> {
        match self {
            ChartVersion::Exact(version) => Some(version),
            ChartVersion::Line(_) => None,
        }
    }

    /// Whether an installed version is what is asked for.
    #[must_use]
    pub fn takes(&self, installed: &Version) -> bool {
        match self {
            ChartVersion::Exact(version) => version == installed,
            ChartVersion::Line(first) => installed.minor() == first.minor() && installed >= first,
        }
    }
}

impl FromStr for ChartVersion {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        match text.strip_prefix('~') {
            Some(line) => line.parse().map(ChartVersion::Line),
            None => text.parse().map(ChartVersion::Exact),
        }
    }
}

impl TryFrom<String> for ChartVersion {
    type Error = VersionError;
    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<ChartVersion> for String {
    fn from(version: ChartVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for ChartVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChartVersion::Exact(version) => version.fmt(f),
            ChartVersion::Line(first) => write!(f, "~{first}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ChartVersion, Version};

    #[test]
    fn a_line_takes_its_patches_and_an_exact_version_only_itself() {
        let takes = |wanted: &str, installed: &str| {
            let wanted: ChartVersion = wanted.parse().unwrap();
            assert_eq!(serde_json::to_value(&wanted).unwrap(), wanted.to_string());
            wanted.takes(&installed.parse().unwrap())
        };
        assert!(takes("~2.21.0", "2.21.43") && takes("v1.16.0", "1.16.0"));
        assert!(!takes("~2.21.5", "2.21.4") && !takes("~2.21.0", "2.22.1") && !takes("1.16.0", "1.16.1"));
        assert!("~newest".parse::<ChartVersion>().is_err() && "".parse::<ChartVersion>().is_err());
    }

    #[test]
    fn a_leading_v_and_missing_numbers_do_not_matter_for_comparison() {
        let parse = |t: &str| t.parse::<Version>().unwrap();
        assert_eq!(parse("v1.31"), parse("1.31.0"));
        assert!(parse("v25.3.3") < parse("25.10.0"));
        assert_eq!(parse("v1.31.9").minor(), "1.31");
        assert_eq!(parse("2.21").numbers(), 2);
        assert!("1.2.3.4".parse::<Version>().is_err());
        assert!("latest".parse::<Version>().is_err());
        assert!("".parse::<Version>().is_err());
    }
}
