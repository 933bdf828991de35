//! Kubespray releases: pins from `catalog/kubespray.yaml`, Kubernetes versions from the compatibility data.

use crate::CatalogError;
use crate::compatibility::KubesprayLine;
use indexmap::IndexMap;
use plinth_model::Version;
use serde::Deserialize;

/// How a Kubespray release wants `kube_version` written. The wrong form ends in a type error in the middle of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KubernetesVersionForm {
    /// `v1.31.9`: up to v2.27.
    Prefixed,
    /// `1.31.9`: from v2.28 on.
    Bare,
}

impl KubernetesVersionForm {
    /// Writes the version as this release wants it.
    #[must_use]
    pub fn write(self, version: &Version) -> String {
        match self {
            KubernetesVersionForm::Prefixed => version.prefixed(),
            KubernetesVersionForm::Bare => version.bare().to_owned(),
        }
    }
}

/// `catalog/kubespray.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubesprayPins {
    /// 1.
    pub schema: u32,
    /// Git address of all releases.
    pub source: String,
    /// Tag used when it has the Kubernetes version wanted.
    pub default: Version,
    /// Releases, oldest first.
    pub releases: Vec<KubesprayPin>,
}

/// One release, pinned.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubesprayPin {
    /// Name of the release in its git repository: `v2.27.1`. It can be moved; `commit` and `tree` are what is checked.
    pub tag: Version,
    /// How it wants `kube_version`.
    pub form: KubernetesVersionForm,
    /// Commit id.
    pub commit: String,
    /// Tree id.
    pub tree: String,
}

/// A pin with what it takes.
pub(crate) type Release<'a> = (&'a KubesprayPin, &'a KubesprayLine);

/// Every pin has its row of compatibility data, and the default is among the pins.
pub(crate) fn check(pins: &KubesprayPins, rows: &IndexMap<String, KubesprayLine>) -> Result<(), CatalogError> {
    let error = |happened: String| Err(CatalogError::content("kubespray.yaml", happened));
    if let Some(pin) = pins.releases.iter().find(|pin| !rows.contains_key(pin.tag.bare())) {
        return error(format!("{} has no row in compatibility.yaml", pin.tag));
    }
    if !pins.releases.iter().any(|pin| pin.tag == pins.default) {
        return error(format!("the default {} is not among the releases", pins.default));
    }
    Ok(())
}
