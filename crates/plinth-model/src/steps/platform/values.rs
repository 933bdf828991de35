//! Values that the kinds of this area share. What is installed into Kubernetes: certificates, namespaces, secrets, releases, objects, and what proves their health.

use crate::steps::{RegistryLogin, UpgradePath};
use crate::{ChartVersion, NodeName, ObjectName, SecretRef, Values, Version};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Pod Security level of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PodSecurity {
    /// Hardened pods only.
    Restricted,
    /// No known privilege escalations.
    Baseline,
    /// Pods may do anything.
    Privileged,
}

/// What a Kubernetes secret holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum SecretContent {
    /// `kubernetes.io/dockerconfigjson`.
    RegistryLogin {
        /// What the file holds, for one registry.
        login: RegistryLogin,
    },
    /// `kubernetes.io/tls` with `tls.crt` (full chain) and `tls.key`.
    Tls {
        /// Name of the certificate that a [`Certificate`](super::Certificate) step made.
        certificate: String,
    },
    /// Opaque, one key with the certificate authority's PEM bundle.
    Authority {
        /// Name of the certificate whose authority is meant.
        certificate: String,
        /// Key inside the secret: `runai-ca.pem`.
        key: String,
    },
    /// Opaque, one key with PEM text that the site file has: no secret.
    Bundle {
        /// The text.
        pem: String,
        /// Key inside the secret: `runai-ca.pem`.
        key: String,
    },
    /// Opaque, one key with one secret value, and what stands beside it.
    Value {
        /// Key inside the secret.
        key: String,
        /// Where it is read from, when the secret is made.
        value: SecretRef,
        /// Further keys with texts that are no secret: the name of the user to whom a password belongs.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        beside: IndexMap<String, String>,
    },
}

/// Where the certificate of an ingress comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum CertificateSource {
    /// An own authority and a leaf, made once and kept in the state directory.
    Generated {
        /// Days the authority is valid.
        authority_days: u32,
        /// Days the leaf is valid; renewed when a third is left.
        leaf_days: u32,
    },
    /// Files given by the site.
    Files {
        /// Chain, leaf first.
        certificate: String,
        /// Private key.
        key: SecretRef,
        /// Authority; none when it is publicly trusted.
        authority: Option<String>,
    },
}

/// What proves that a component works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Health {
    /// A workload of the namespace has all its replicas ready.
    Workload {
        /// `Deployment`, `DaemonSet` or `StatefulSet`.
        kind: String,
        /// Of the object; its namespace is that of the release.
        name: String,
    },
    /// An object's field has a value: `.status.state == ready` of `clusterpolicies.nvidia.com/cluster-policy`.
    Field {
        /// `clusterpolicies.nvidia.com`.
        resource: String,
        /// Object name.
        name: String,
        /// Namespace; empty for cluster-scoped objects.
        #[serde(default)]
        namespace: String,
        /// Dotted path below the object.
        path: String,
        /// Value wanted.
        equals: String,
    },
    /// An object's condition is true.
    Condition {
        /// `apiservices.apiregistration.k8s.io`.
        resource: String,
        /// Object name.
        name: String,
        /// Namespace; empty for cluster-scoped objects.
        #[serde(default)]
        namespace: String,
        /// Condition type: `Available`.
        condition: String,
    },
    /// Every GPU node offers a resource.
    Allocatable {
        /// `nvidia.com/gpu`.
        resource: String,
        /// Nodes that must offer it; filled in by the planner.
        #[serde(default)]
        nodes: Vec<NodeName>,
    },
}

/// Who changes a chart's custom resource definitions on upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrdPolicy {
    /// The chart has none.
    None,
    /// They are templates: helm changes them, and removes them with all objects on uninstall.
    Templates,
    /// A hook Job of the chart changes them.
    Hook,
    /// Nobody does: they are applied by plinth before an upgrade.
    Apply,
}

/// One helm release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Component name in the catalog.
    pub component: String,
    /// Release name.
    pub release: String,
    /// Where it is installed and helm keeps its records.
    pub namespace: String,
    /// Chart name, or the whole address for `oci://`.
    pub chart: String,
    /// Repository address; a folder of packages on this machine where it has no scheme, relative to the site file; empty for
    /// `oci://` charts.
    pub repository: String,
    /// Login for the repository, if it wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<RegistryLogin>,
    /// Exactly this one, or a line whose newest patch is chosen once.
    pub version: ChartVersion,
    /// Its maker publishes no chart but one file of objects: the chart is made here from that file. `repository` is the file's address, or
    /// the mirror or folder that has it under [`Release::file_of_objects`]; `digest` is that of the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_objects: bool,
    /// SHA-256 of the package (of the manifest for `oci://`), when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// SHA-256 of the manifest that names the package in a registry (`oci://`), when known. It says nothing of a package that comes
    /// from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_digest: Option<String>,
    /// Values, complete. Secrets appear as `{"$secret": <SecretRef>}` and are put in by the client, on helm's standard input.
    pub values: Values,
    /// What has to be done about the chart's CRDs before an upgrade.
    pub crds: CrdPolicy,
    /// How long helm may wait, seconds.
    pub timeout_s: u32,
    /// What proves that it works.
    pub health: Vec<Health>,
    /// Jobs left behind by a failed attempt that must be removed before another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_jobs: Vec<String>,
    /// Objects of the chart's own that must go before the release does: their controller, which it brings, cleans up behind them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_first: Vec<ObjectName>,
    /// The oldest deployed version that may be upgraded to this one in a single step; none: nothing is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrades_from: Option<Version>,
    /// The line that `version` is the meaning of, as it was found for this site: `~2.21.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning_of: Option<ChartVersion>,
    /// The site file names exactly this version: it is meant also where a newer one is deployed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named_by_site: bool,
    /// What it is the operator of, where that moves by one minor at a time: an upgrade that would leave that path is not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade_path: Option<Box<UpgradePath>>,
}

impl Release {
    /// Name of its file of objects in a folder or on a mirror: `NAME-VERSION.yaml`.
    #[must_use]
    pub fn file_of_objects(&self) -> String {
        let name = self.chart.rsplit('/').next().unwrap_or_default();
        format!("{name}-{}.yaml", self.version.version())
    }

    /// Address of its file of objects, where it has one: the maker's own, or that on a mirror. None: it has none, or it lies in a folder.
    #[must_use]
    pub fn address_of_objects(&self) -> Option<String> {
        let repository = self.repository.trim_end_matches('/');
        let address = || match repository.ends_with(".yaml") {
            true => repository.to_owned(),
            false => format!("{repository}/{}", self.file_of_objects()),
        };
        (self.of_objects && repository.contains("://")).then(address)
    }

    /// What the site asks for: the version, or the line that it is the meaning of.
    #[must_use]
    pub fn selector(&self) -> &ChartVersion {
        self.meaning_of.as_ref().unwrap_or(&self.version)
    }

    /// The line that was asked for, if it was one: the same release with its version as the site writes it.
    #[must_use]
    pub fn as_line(&self) -> Option<Self> {
        let line = self.selector();
        line.exact().is_none().then(|| Self { version: line.clone(), meaning_of: None, ..self.clone() })
    }

    /// Its version for people, with the line that it is the meaning of: `2.21.43 (~2.21.0)`.
    #[must_use]
    pub fn version_in_words(&self) -> String {
        match &self.meaning_of {
            Some(line) => format!("{} ({line})", self.version),
            None => self.version.to_string(),
        }
    }
}
