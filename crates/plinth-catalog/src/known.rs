//! What releases of Kubespray know: names of variables (`kubespray/names.txt`) and versions that they can install
//! (`kubespray/versions.yaml`). Both are made from the release's own tree by `cargo xtask kubespray-names`.

use crate::CatalogError;
use crate::source::{Files, decode};
use indexmap::IndexMap;
use plinth_model::nearest::nearest;
use serde::Deserialize;
use std::collections::BTreeMap;

const NAMES: &str = "kubespray/names.txt";
const VERSIONS: &str = "kubespray/versions.yaml";
/// Most releases that one word of marks has room for.
const MOST: usize = 32;

/// Names of variables, and which releases know them.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    /// Tags, oldest first.
    releases: Vec<String>,
    /// Name to one mark per release.
    names: BTreeMap<String, u32>,
}

impl KnownNames {
    /// Reads `names.txt`: `release TAG COMMIT` lines, then a name a line with the spans of releases that know it.
    ///
    /// # Errors
    /// The line that makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut known = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            if first == "release" {
                known.releases.push(rest.split(' ').next().unwrap_or_default().to_owned());
            } else {
                let marks = known.marks(rest).ok_or_else(|| format!("`{line}` makes no sense"))?;
                known.names.insert(first.to_owned(), marks);
            }
        }
        if known.releases.len() > MOST { Err(format!("more than {MOST} releases")) } else { Ok(known) }
    }

    /// Spans such as `v2.24.3-v2.26.1 v2.31.0` as marks; nothing means all.
    fn marks(&self, spans: &str) -> Option<u32> {
        let at = |tag: &str| self.releases.iter().position(|release| release == tag);
        if spans.is_empty() {
            return Some(u32::MAX);
        }
        spans.split(' ').try_fold(0, |marks, span| {
            let (first, last) = span.split_once('-').unwrap_or((span, span));
            Some((at(first)?..=at(last)?).fold(marks, |marks, at| marks | bit(at)))
        })
    }

    /// Whether names of this release are carried.
    #[must_use]
    pub fn has_release(&self, tag: &str) -> bool {
        self.releases.iter().any(|release| release == tag)
    }

    /// Whether the release knows the variable; none when the release is not carried.
    #[must_use]
    pub fn knows(&self, tag: &str, name: &str) -> Option<bool> {
        let at = self.releases.iter().position(|release| release == tag)?;
        Some(self.names.get(name).is_some_and(|marks| marks & bit(at) != 0))
    }

    /// The most similar name that the release knows.
    #[must_use]
    pub fn similar(&self, tag: &str, name: &str) -> Option<&str> {
        let at = self.releases.iter().position(|release| release == tag)?;
        nearest(name, self.names.iter().filter(|(_, marks)| **marks & bit(at) != 0).map(|(name, _)| name.as_str()))
    }

    /// Releases that know the name, oldest first.
    pub(crate) fn releases_with(&self, name: &str) -> Vec<&str> {
        let marks = self.names.get(name).copied().unwrap_or_default();
        let known = self.releases.iter().enumerate().filter(|(at, _)| marks & bit(*at) != 0);
        known.map(|(_, tag)| tag.as_str()).collect()
    }
}

const fn bit(at: usize) -> u32 {
    1_u32 << (at % MOST)
}

/// `kubespray/versions.yaml`: tag, variable that chooses a version, versions as the release writes them, oldest first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownVersions {
    /// 1.
    pub(crate) schema: u32,
    pub(crate) releases: IndexMap<String, IndexMap<String, Vec<String>>>,
}

impl KnownVersions {
    /// Versions that a variable may choose in a release; none when nothing is carried for it.
    pub(crate) fn of(&self, tag: &str, variable: &str) -> Option<&[String]> {
        self.releases.get(tag)?.get(variable).map(Vec::as_slice)
    }
}

/// Both, as they travel in the catalog.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) names: KnownNames,
    pub(crate) versions: KnownVersions,
}

impl Known {
    pub(crate) fn read(files: &Files) -> Result<Self, CatalogError> {
        let text = files.get(NAMES).ok_or_else(|| CatalogError::content(NAMES, "is missing"))?;
        let names = KnownNames::parse(text).map_err(|happened| CatalogError::content(NAMES, happened))?;
        Ok(Self { names, versions: decode(files, VERSIONS)? })
    }

    /// Everything is carried for a release.
    pub(crate) fn check(&self, tag: &str) -> Result<(), CatalogError> {
        if !self.names.has_release(tag) {
            return Err(CatalogError::content(NAMES, format!("{tag} is missing: `cargo xtask kubespray-names`")));
        }
        if self.versions.of(tag, "kube_version").is_none_or(<[String]>::is_empty) {
            return Err(CatalogError::content(VERSIONS, format!("{tag} is missing: `cargo xtask kubespray-names`")));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn spans_say_which_releases_know_a_name() {
        let text = "# x\nrelease v1 a\nrelease v2 b\nrelease v3 c\nall_of_them\nlate v2-v3\nodd v1 v3\n";
        let names = KnownNames::parse(text).unwrap();
        let knows = |name: &str| ["v1", "v2", "v3"].map(|tag| names.knows(tag, name).unwrap());
        assert_eq!(knows("all_of_them"), [true, true, true]);
        assert_eq!(knows("late"), [false, true, true]);
        assert_eq!(knows("odd"), [true, false, true]);
        assert_eq!((names.knows("v4", "late"), knows("none")), (None, [false, false, false]));
        assert_eq!((names.similar("v1", "lat"), names.similar("v2", "lat")), (None, Some("late")));
        assert!(KnownNames::parse("release v1 a\nx v9\n").is_err());
    }
}
