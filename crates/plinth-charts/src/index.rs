//! The index of a chart repository (Helm documentation, "The Chart Repository Guide"). Real ones have more than 10 MB, of which
//! three fields per version are kept.

use crate::failure::Failure;
use plinth_model::{ChartVersion, Version};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, alias_limits, budget, options};
use std::collections::BTreeMap;
use std::fmt;

/// Largest index that is read, bytes. The largest that is known has some 30 MB.
pub(crate) const LARGEST: usize = 128 * 1024 * 1024;
/// Most nodes of an index: one of 128 MiB with a node every dozen bytes.
const NODES: usize = 12_000_000;

/// A repository's charts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    charts: BTreeMap<String, Vec<Entry>>,
}

/// One version of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As the index writes it: with or without `v`.
    pub(crate) version: Version,
    /// Addresses of the package: whole ones, or relative to the repository.
    pub(crate) urls: Vec<String>,
    /// SHA-256 of the package, if the index tells it.
    pub(crate) digest: Option<String>,
}

impl Index {
    /// Reads an index. Versions that cannot be read are left out, as helm does: old repositories have some.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::nonsense("the index is no text"))?;
        let options = options! {
            budget: budget! {
                max_nodes: NODES,
                max_events: NODES.saturating_mul(2),
                max_total_scalar_bytes: LARGEST,
                max_documents: 1,
                max_aliases: 1000,
            },
            duplicate_keys: DuplicateKeyPolicy::FirstWins,
            alias_limits: alias_limits! { max_total_replayed_events: 100_000, max_replay_stack_depth: 8 },
        };
        let written: Written = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let why = error.to_string();
            let first = why.lines().next().unwrap_or_default();
            Failure::nonsense(format!("the index cannot be read: {}", first.chars().take(200).collect::<String>()))
        })?;
        Ok(Self { charts: written.entries.0 })
    }

    /// The entry that a selector means: the exact version, or the newest of a line that is no pre-release.
    pub(crate) fn find(&self, chart: &str, selector: &ChartVersion) -> Result<&Entry, Failure> {
        let Some(entries) = self.charts.get(chart) else {
            return Err(Failure::new(crate::failure::Why::NotThere, format!("the repository has no chart `{chart}`")));
        };
        let there = entries.iter().map(|entry| &entry.version);
        let chosen = chosen(there, selector)
            .and_then(|version| entries.iter().find(|entry| entry.version.as_str() == version.as_str()));
        chosen.ok_or_else(|| {
            Failure::no_version(chart, &selector.to_string(), &newest(entries.iter().map(|e| &e.version)))
        })
    }
}

/// The version of a list that a selector means.
pub(crate) fn chosen<'a>(
    there: impl Iterator<Item = &'a Version> + Clone,
    selector: &ChartVersion,
) -> Option<&'a Version> {
    match selector {
        ChartVersion::Exact(wanted) => {
            let same = there.clone().find(|version| version.as_str() == wanted.as_str());
            same.or_else(|| there.into_iter().find(|version| *version == wanted))
        }
        ChartVersion::Line(_) => {
            there.filter(|version| selector.takes(version) && version.semver().pre.is_empty()).max()
        }
    }
}

/// Versions for people, newest first.
pub(crate) fn newest<'a>(versions: impl Iterator<Item = &'a Version>) -> Vec<String> {
    let mut versions: Vec<&Version> = versions.collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(ToString::to_string).collect()
}

#[derive(Deserialize)]
struct Written {
    entries: Charts,
}

struct Charts(BTreeMap<String, Vec<Entry>>);

impl<'de> Deserialize<'de> for Charts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Charts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("charts by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Charts, A::Error> {
                let mut charts = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    charts.insert(name, map.next_value::<Entries>()?.0);
                }
                Ok(Charts(charts))
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<Charts, E> {
                Ok(Charts(BTreeMap::new()))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// The readable versions of one chart.
struct Entries(Vec<Entry>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("versions of a chart")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(written) = list.next_element::<WrittenEntry>()? {
                    entries.extend(written.entry());
                }
                Ok(Entries(entries))
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<Entries, E> {
                Ok(Entries(Vec::new()))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[derive(Deserialize)]
struct WrittenEntry {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    urls: Option<Vec<String>>,
    #[serde(default)]
    digest: Option<String>,
    /// What else stands there; named so that it is skipped and not kept.
    #[serde(default, rename = "annotations")]
    _annotations: Option<IgnoredAny>,
}

impl WrittenEntry {
    fn entry(self) -> Option<Entry> {
        let version = self.version?.parse().ok()?;
        let digest = self.digest.and_then(|digest| digest_of(&digest));
        Some(Entry { version, urls: self.urls.unwrap_or_default(), digest })
    }
}

/// 64 digits, with or without the name of the sum before them.
pub(crate) fn digest_of(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_lowercase();
    (digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const INDEX: &str = r#"apiVersion: v1
generated: "2026-01-01T00:00:00Z"
entries:
  knative-operator:
  - name: knative-operator
    version: v1.16.0
    appVersion: 1.16
    urls: [charts/knative-operator-v1.16.0.tgz, "https://other.example.com/k.tgz"]
    digest: B9038B86551107C80CDB0FA0FE53E36CF24CA7CCB3ACBEA233BB7CCA8036FD29
    annotations: {a: {b: [1, 2]}, "a": twice}
  - {name: knative-operator, version: v1.17.0-rc.1, urls: [x]}
  - {name: knative-operator, version: "not one", urls: [x]}
  - {name: knative-operator, version: 1.16.2, urls: [y], digest: short}
  - {name: knative-operator, version: 1.16.3-rc1, urls: [y]}
  empty:
other: 1
"#;

    fn find(selector: &str) -> Result<Entry, Failure> {
        Index::read(INDEX.as_bytes()).unwrap().find("knative-operator", &selector.parse().unwrap()).cloned()
    }

    #[test]
    fn a_version_is_found_with_and_without_v_and_a_line_means_its_newest_release() {
        for (selector, wanted) in [
            ("v1.16.0", "v1.16.0"),
            ("1.16.0", "v1.16.0"),
            ("v1.16.2", "1.16.2"),
            ("~1.16.0", "1.16.2"),
            ("v1.17.0-rc.1", "v1.17.0-rc.1"),
        ] {
            assert_eq!(find(selector).unwrap().version.as_str(), wanted, "{selector}");
        }
        let entry = find("1.16.0").unwrap();
        assert_eq!((entry.urls.len(), entry.digest.unwrap().len()), (2, 64));
        assert_eq!(find("1.16.2").unwrap().digest, None, "what is no digest is none");
        for absent in ["~1.17.0", "1.18.0", "~1.16.3"] {
            assert!(find(absent).is_err(), "{absent}");
        }
    }

    #[test]
    fn what_is_no_index_is_said_to_be_none() {
        for bad in ["<html><body>Sign in</body></html>", "entries: [", "entries: {a: b}", "a: 1", "\u{0}", "- 1"] {
            assert!(Index::read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Index::read(&[0xff, 0xfe]).is_err());
        let mut laughs = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned();
        for (last, next) in ('a'..'k').zip('b'..) {
            let _ = writeln!(laughs, "{next}: &{next} [*{last}, *{last}, *{last}, *{last}, *{last}, *{last}, *{last}]");
        }
        laughs.push_str("entries: {}\n");
        assert!(Index::read(laughs.as_bytes()).is_err(), "aliases of aliases end somewhere");
    }
}
