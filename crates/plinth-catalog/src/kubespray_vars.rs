//! The site's own variables for Kubespray, held against what its release knows.

use crate::Catalog;
use crate::known::KnownNames;
use crate::near::near_text;
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Finding, Version};
use plinth_site::Desired;
use serde_json::Value;

impl Catalog {
    /// Names of variables by release.
    #[must_use]
    pub fn kubespray_names(&self) -> &KnownNames {
        &self.known.names
    }

    /// What is wrong with the site's own variables: names that the release does not know, which Ansible would never report, and
    /// versions of parts that it cannot install.
    #[must_use]
    pub fn check_kubespray_vars(&self, desired: &Desired, release: &KubesprayRelease) -> Vec<Finding> {
        let vars = &desired.kubernetes.extra_vars;
        vars.iter()
            .filter_map(|(name, value)| {
                self.part_version(vars, release, name, value).or_else(|| self.unknown(release, name))
            })
            .collect()
    }

    fn unknown(&self, release: &KubesprayRelease, name: &str) -> Option<Finding> {
        let names = &self.known.names;
        if name.starts_with("ansible_") || names.knows(release.tag.as_str(), name)? {
            return None;
        }
        let text = format!("Kubespray {} reads no variable `{name}`", release.tag);
        let finding =
            Finding::warning(code::KUBERNETES_EXTRA_VAR_UNKNOWN, format!("kubernetes.extraVars.{name}"), text);
        let others = names.releases_with(name);
        let finding = match (others.first(), others.last()) {
            (Some(first), Some(last)) => finding.evidence(format!("known to releases from {first} to {last}")),
            _ => finding,
        };
        Some(finding.fix(match names.similar(release.tag.as_str(), name) {
            Some(near) => format!("write `{near}` if that is meant, or take it away"),
            None => "take it away".to_owned(),
        }))
    }

    /// A version of a part that is not in the release's tables, or is written in another form, with no checksum of the site's own.
    fn part_version(
        &self,
        vars: &IndexMap<String, Value>,
        release: &KubesprayRelease,
        name: &str,
        value: &Value,
    ) -> Option<Finding> {
        let known = self.known.versions.of(release.tag.as_str(), name)?;
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if known.contains(&written) || has_checksum(vars, name) {
            return None;
        }
        let text = format!("Kubespray {} cannot install {name} {written}: it has no checksum for it", release.tag);
        let finding = Finding::error(code::KUBERNETES_PART_VERSION, format!("kubernetes.extraVars.{name}"), text);
        let parsed: Vec<Version> = known.iter().filter_map(|version| version.parse().ok()).collect();
        let near = written.parse::<Version>().ok().map(|wanted| near_text(&wanted, &parsed)).and_then(|near| {
            known.iter().find(|version| version.trim_start_matches('v') == near.trim_start_matches('v'))
        });
        let near = near.or_else(|| known.last())?;
        Some(finding.fix(format!("write `{near}`, in exactly this form, or take it away")))
    }
}

/// Whether the site brings the checksum of a part along: then its version need not be in the tables.
fn has_checksum(vars: &IndexMap<String, Value>, version: &str) -> bool {
    let part = match version.trim_end_matches("_version") {
        "kube" => "kubelet",
        "calico" => "calicoctl",
        part => part,
    };
    ["binary", "archive"].iter().any(|kind| vars.contains_key(&format!("{part}_{kind}_checksum")))
}
