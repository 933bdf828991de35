//! Versions that a release can install: those with a checksum for 64-bit Intel and AMD.

use super::Failure;
use super::files::files;
use super::names::numbers;
use super::pins::Pin;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const HEAD: &str = "\
# Versions that releases of Kubespray can install, written as each release writes them: those with a checksum for amd64 in its tables.
# Made by `cargo xtask kubespray-names --source DIR` from trees whose id is pinned in ../kubespray.yaml; do not edit.
schema: 1
";
/// Table in the release, and the variable that chooses from it.
const TABLES: [(&str, &str); 8] = [
    ("kubelet_checksums", "kube_version"),
    ("etcd_binary_checksums", "etcd_version"),
    ("containerd_archive_checksums", "containerd_version"),
    ("calicoctl_binary_checksums", "calico_version"),
    ("cni_binary_checksums", "cni_version"),
    ("crictl_checksums", "crictl_version"),
    ("runc_checksums", "runc_version"),
    ("nerdctl_archive_checksums", "nerdctl_version"),
];
const ARCHITECTURE: &str = "amd64";
/// Columns a line may have.
const WIDTH: usize = 130;

/// Variable to versions.
type Table = BTreeMap<String, Vec<String>>;

/// Tag to its table.
pub(super) struct Tables(BTreeMap<String, Table>);

impl Tables {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        if text.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let value: Value = serde_saphyr::from_str(text).map_err(|error| format!("versions.yaml: {error}"))?;
        let releases = value.get("releases").cloned().unwrap_or_default();
        serde_json::from_value(releases).map(Self).map_err(|error| format!("versions.yaml: {error}"))
    }

    pub(super) fn set(&mut self, pin: &Pin, table: Table) {
        self.0.insert(pin.tag.clone(), table);
    }

    pub(super) fn text(&self) -> String {
        let mut releases: Vec<_> = self.0.iter().collect();
        releases.sort_by_key(|(tag, _)| numbers(tag));
        let mut text = format!("{HEAD}releases:\n");
        for (tag, table) in releases {
            let _ = writeln!(text, "  {tag}:");
            TABLES.iter().filter_map(|(_, variable)| table.get_key_value(*variable)).for_each(
                |(variable, versions)| {
                    list(&mut text, variable, versions);
                },
            );
        }
        text
    }
}

fn list(text: &mut String, variable: &str, versions: &[String]) {
    let mut line = format!("    {variable}: [");
    for (at, version) in versions.iter().enumerate() {
        let item = if at + 1 == versions.len() { format!("\"{version}\"]") } else { format!("\"{version}\", ") };
        if line.len() + item.len() > WIDTH {
            let _ = writeln!(text, "{}", line.trim_end());
            line = "      ".to_owned();
        }
        line.push_str(&item);
    }
    let _ = writeln!(text, "{line}");
}

/// Reads the tables of a tree. They moved from defaults to variables of the role in v2.28.
pub(super) fn read(source: &Path) -> Result<Table, Failure> {
    let all = files(&source.join("roles"))?;
    let file = all.iter().find(|file| {
        let place = file.to_string_lossy();
        place.ends_with("/main/checksums.yml") && place.contains("kubespray")
    });
    let file = file.ok_or_else(|| format!("{}: no table of checksums", source.display()))?;
    let text = std::fs::read_to_string(file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut table = Table::new();
    for (name, variable) in TABLES {
        let rows = value.get(name).and_then(|t| t.get(ARCHITECTURE)).and_then(Value::as_object);
        let rows = rows.ok_or_else(|| format!("{}: no {name} for {ARCHITECTURE}", file.display()))?;
        let there = rows.iter().filter(|(_, sum)| sum.as_str().is_some_and(|sum| sum.len() >= 64));
        let mut versions: Vec<String> = there.map(|(version, _)| version.clone()).collect();
        versions.sort_by_key(|version| numbers(version));
        table.insert(variable.to_owned(), versions);
    }
    Ok(table)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_written_and_read_back() {
        let versions: Vec<String> = (0..40).map(|patch| format!("v1.31.{patch}")).collect();
        let table = Table::from([("kube_version".to_owned(), versions)]);
        let tables = Tables(BTreeMap::from([("v2.27.1".to_owned(), table.clone())]));
        let text = tables.text();
        assert!(text.lines().all(|line| line.len() <= WIDTH + 10), "{text}");
        assert_eq!(Tables::parse(&text).unwrap().0["v2.27.1"], table);
    }
}
