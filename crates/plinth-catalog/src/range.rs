//! Version ranges, parsed once.

use plinth_model::Version;
use serde::Deserialize;
use std::fmt;

/// A requirement in Cargo's style: comparators joined by commas, all of which must hold. Suffixes of a version (`-rc.1`,
/// `+meta`) are not compared: a vendor's range speaks of releases.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Range {
    text: String,
    requirement: semver::VersionReq,
}

impl Range {
    /// Whether the version is inside.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        let v = version.semver();
        self.requirement.matches(&semver::Version::new(v.major, v.minor, v.patch))
    }

    /// The text of the catalog.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for Range {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match semver::VersionReq::parse(&text) {
            Ok(requirement) => Ok(Self { text, requirement }),
            Err(error) => Err(format!("`{text}` is not a version range: {error}")),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The candidate closest to a wanted version: the next one below, else the next one above.
pub(crate) fn closest<'a>(wanted: &Version, candidates: impl IntoIterator<Item = &'a Version>) -> Option<&'a Version> {
    let mut sorted: Vec<&Version> = candidates.into_iter().collect();
    sorted.sort_unstable();
    let above = sorted.partition_point(|candidate| *candidate <= wanted);
    above.checked_sub(1).and_then(|below| sorted.get(below)).or_else(|| sorted.first()).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Range, closest};
    use plinth_model::Version;

    #[test]
    fn a_range_ignores_prefix_and_suffix_of_a_version() {
        let range = Range::try_from(">=1.30.0, <1.33.0".to_owned()).unwrap();
        for (version, inside) in [("v1.30", true), ("1.32.9-rc.1", true), ("v1.33.0", false), ("1.29.15+meta", false)] {
            assert_eq!(range.contains(&version.parse().unwrap()), inside, "{version}");
        }
        assert!(Range::try_from("newest".to_owned()).is_err());
    }

    #[test]
    fn closest_prefers_the_next_one_below() {
        let known: Vec<Version> = ["2.17", "2.25", "2.20"].iter().map(|v| v.parse().unwrap()).collect();
        let near = |wanted: &str| closest(&wanted.parse().unwrap(), &known).map(|v| v.as_str().to_owned());
        assert_eq!(near("9.9").as_deref(), Some("2.25"));
        assert_eq!(near("2.24.1").as_deref(), Some("2.20"));
        assert_eq!(near("1.0").as_deref(), Some("2.17"));
        assert_eq!(closest(&"1.0".parse().unwrap(), &[]), None);
    }
}
