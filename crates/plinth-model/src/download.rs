//! Files and images that an engine needs on nodes: what is fetched once and pushed, and what a mirror must hold.

use crate::{Digest, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that is needed, as the engine itself says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadList {
    /// Digest of the inventory and variables it was made with.
    pub inputs: Digest,
    /// What is to lie on nodes, each with the digest that proves it.
    pub files: Vec<DownloadFile>,
    /// Images, `registry/name:tag`.
    pub images: Vec<DownloadImage>,
}

/// A file that an engine puts on nodes: where it is fetched, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadFile {
    /// The engine's name for it: `kubelet`.
    pub name: String,
    /// Where it is fetched from.
    pub url: String,
    /// SHA-256 of its content, lower-case hexadecimal digits.
    pub sha256: String,
    /// Its name in the engine's folder on a node; it may be in a folder of its own there.
    pub dest: String,
    /// Groups of nodes that need it.
    pub groups: Vec<String>,
}

/// A container image that an engine runs on nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadImage {
    /// The engine's name for it: `coredns`.
    pub name: String,
    /// `registry.k8s.io/coredns/coredns:v1.11.3`.
    pub image: String,
    /// Groups of nodes that need it.
    pub groups: Vec<String>,
}

/// The helm program that is fetched where a machine has none that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HelmPin {
    /// The form of these data.
    pub schema: u32,
    /// Version: `v3.18.6`.
    pub version: Version,
    /// Address that holds the archives: `helm-VERSION-linux-ARCH.tar.gz`.
    pub source: String,
    /// SHA-256 of the archive by architecture, as helm's archives are called: `amd64`, `arm64`.
    pub archives: BTreeMap<String, String>,
}

impl DownloadFile {
    /// Whether a node of these groups needs it.
    #[must_use]
    pub fn is_for(&self, groups: &[String]) -> bool {
        self.groups.iter().any(|group| groups.contains(group))
    }

    /// Whether its name on the node is a plain one: at most one folder, and nothing that a shell or a path could take another way.
    #[must_use]
    pub fn has_plain_name(&self) -> bool {
        let plain = |part: &str| {
            !part.starts_with(['.', '-'])
                && !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
        };
        self.dest.split('/').count() <= 2 && self.dest.split('/').all(plain)
    }

    /// Whether its checksum is one.
    #[must_use]
    pub fn has_checksum(&self) -> bool {
        self.sha256.len() == 64 && self.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
}

/// The place of a file on a mirror that keeps it under the host and path of its own address.
#[must_use]
pub fn mirrored(url: &str, mirror: Option<&str>) -> String {
    match (mirror, url.split_once("://")) {
        (Some(mirror), Some((_, rest))) if !url.starts_with(&format!("{mirror}/")) => format!("{mirror}/{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dest: &str) -> DownloadFile {
        DownloadFile {
            name: "kubelet".into(),
            url: "https://dl.k8s.io/x".into(),
            sha256: "a".repeat(64),
            dest: dest.into(),
            groups: vec!["k8s_cluster".into()],
        }
    }

    #[test]
    fn a_mirror_keeps_host_and_path() {
        let mirror = Some("https://mirror.example.com/files");
        let there = "https://mirror.example.com/files/dl.k8s.io/x";
        assert_eq!(mirrored("https://dl.k8s.io/x", mirror), there);
        assert_eq!(mirrored(there, mirror), there, "the engine may have been told of it already");
        assert_eq!(mirrored("https://dl.k8s.io/x", None), "https://dl.k8s.io/x");
    }

    #[test]
    fn names_on_nodes_are_plain() {
        assert!(file("containerd-1.7.27-linux-amd64.tar.gz").has_plain_name());
        assert!(file("calico-v3.29.4-kdd-crds/v3.29.4.tar.gz").has_plain_name());
        for bad in ["", "..", "a/", "/a", "a/../b", "a/b/c", "a/.b", "-rf", "a b", ".hidden", "a'b"] {
            assert!(!file(bad).has_plain_name(), "{bad}");
        }
        assert!(file("x").has_checksum() && file("x").is_for(&["k8s_cluster".into()]) && !file("x").is_for(&[]));
    }
}
