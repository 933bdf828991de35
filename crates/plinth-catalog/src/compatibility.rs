//! The compatibility data: what vendors say goes together, with the document and how far it can be trusted.

use crate::range::Range;
use indexmap::IndexMap;
use plinth_model::Version;
use serde::Deserialize;
use serde_json::Value;

/// `catalog/compatibility.yaml`. A shape that is not described here is refused, so data never goes unread unnoticed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compatibility {
    /// 1.
    pub schema: u32,
    /// Month of the data.
    pub as_of: String,
    /// Short name to title.
    pub sources: IndexMap<String, String>,
    /// Run:ai, by minor.
    pub runai: IndexMap<String, RunaiLine>,
    /// Rules between Run:ai versions.
    pub runai_rules: Vec<Rule>,
    /// Least hardware.
    pub runai_hardware: IndexMap<String, Hardware>,
    /// Kubespray, by version.
    pub kubespray: IndexMap<String, KubesprayLine>,
    /// GPU Operator, by minor.
    pub gpu_operator: IndexMap<String, ComponentLine>,
    /// Network Operator, by minor.
    pub network_operator: IndexMap<String, ComponentLine>,
    /// Rules about it.
    pub network_operator_rules: Vec<Rule>,
    /// Knative operator, by minor.
    pub knative_operator: IndexMap<String, ComponentLine>,
    /// Knative Serving, by minor: an operator carries several of them.
    pub knative_serving: IndexMap<String, ComponentLine>,
    /// LeaderWorkerSet, by minor.
    pub lws: IndexMap<String, ComponentLine>,
    /// Rules about it.
    pub lws_rules: Vec<Rule>,
    /// kube-prometheus-stack, by major.
    pub kube_prometheus_stack: IndexMap<String, ComponentLine>,
    /// Rules about it.
    pub kube_prometheus_stack_rules: Vec<Rule>,
    /// What Base Command Manager ships together; for people.
    pub bcm_bundle: IndexMap<String, Value>,
    /// Allowed distance of Kubernetes' own parts.
    pub kubernetes_skew: Vec<Skew>,
    /// Which kubeadm API takes which form.
    pub kubeadm_api: Vec<KubeadmApi>,
    /// Cases with their verdict; they are the resolver's test.
    pub derived_examples: Vec<DerivedExample>,
}

/// How far a row can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Inference, or one report of the community.
    Low,
    /// A vendor document of a neighbouring version, field scripts, or a shipped configuration.
    Medium,
    /// A vendor document of that version, or source code.
    High,
}

/// What one thing wants of another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Range; none: the sources do not say.
    pub range: Option<Range>,
    /// Key into [`Compatibility::sources`].
    pub source: String,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// For people.
    #[serde(default)]
    pub note: Option<String>,
    /// Versions known to work where no range is.
    #[serde(default)]
    pub known_good: Vec<Version>,
}

/// Run:ai of one minor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is what this Run:ai wants of the thing it is named after")]
pub struct RunaiLine {
    pub kubernetes: Requirement,
    pub openshift: Requirement,
    pub gpu_operator: Requirement,
    pub dra_driver: Option<Requirement>,
    pub knative_serving: Requirement,
    pub training_operator: Requirement,
    pub mpi_operator: Requirement,
    pub lws: Requirement,
    pub network_operator: Requirement,
    pub prometheus: Option<Requirement>,
    pub kube_prometheus_stack: Requirement,
    pub postgresql_external: Option<Requirement>,
    pub helm: Requirement,
    pub artifact_sources: Vec<String>,
    pub cluster_secret: String,
    pub default_ingress_class: String,
    pub recommended_ingress_class: Option<String>,
}

impl RunaiLine {
    /// What it wants of things that plinth installs.
    #[must_use]
    pub fn requirements(&self) -> Vec<(&'static str, &Requirement)> {
        vec![
            ("kubernetes", &self.kubernetes),
            ("gpu_operator", &self.gpu_operator),
            ("knative_serving", &self.knative_serving),
            ("lws", &self.lws),
            ("network_operator", &self.network_operator),
            ("kube_prometheus_stack", &self.kube_prometheus_stack),
        ]
    }
}

/// A component of one line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentLine {
    /// What it wants of Kubernetes.
    pub kubernetes: Requirement,
    /// What it wants of containerd.
    pub containerd: Option<Requirement>,
    /// What it wants of the GPU Operator.
    pub gpu_operator: Option<Requirement>,
    /// Serving versions that it carries.
    pub serving: Option<Requirement>,
    /// Ubuntu releases it was tested on.
    #[serde(default)]
    pub ubuntu: Vec<String>,
}

impl ComponentLine {
    /// What it wants of things that plinth installs.
    #[must_use]
    pub fn requirements(&self) -> Vec<(&'static str, &Requirement)> {
        let optional = [
            ("containerd", &self.containerd),
            ("gpu_operator", &self.gpu_operator),
            ("knative_serving", &self.serving),
        ];
        let known = optional.into_iter().filter_map(|(name, row)| Some((name, row.as_ref()?)));
        std::iter::once(("kubernetes", &self.kubernetes)).chain(known).collect()
    }
}

/// Kubespray of one version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each field is what this Kubespray wants of, or installs as, the thing it is named after"
)]
pub struct KubesprayLine {
    pub kubernetes: KubernetesVersions,
    pub ansible_core: Requirement,
    pub ansible_package: Requirement,
    pub python: Requirement,
    pub containerd: Installed,
    pub calico: Installed,
}

/// Kubernetes versions of one Kubespray.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubernetesVersions {
    /// Range.
    pub range: Range,
    /// The one it takes when none is given.
    pub default: Version,
    /// Newest patch of each minor that it has checksums for. Lower patches of the same minor are taken to be there.
    pub newest_patches: Vec<Version>,
    /// Key into [`Compatibility::sources`].
    pub source: String,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

impl KubernetesVersions {
    /// Whether it can install the version.
    #[must_use]
    pub fn has(&self, version: &Version) -> bool {
        let same_minor = |newest: &&Version| newest.minor() == version.minor();
        self.range.contains(version)
            && self.newest_patches.iter().find(same_minor).is_some_and(|newest| version <= newest)
    }
}

/// What is installed along.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    /// Version.
    pub installs: Version,
    /// Key into [`Compatibility::sources`].
    pub source: String,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

/// A rule in words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Rule {
    pub id: String,
    pub rule: String,
    pub source: String,
    pub confidence: Confidence,
}

/// Least hardware; cores, GB of memory, GB of disk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Hardware {
    pub cpu_cores: Option<u32>,
    pub memory_gb: Option<u32>,
    pub disk_gb: Option<u32>,
    pub versions: Option<Range>,
    pub source: String,
    pub confidence: Confidence,
}

/// Allowed distance of two Kubernetes parts, in minor versions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Skew {
    pub component: String,
    pub relative_to: String,
    pub max_newer: u32,
    pub max_older: u32,
    pub applies: Option<Range>,
    pub note: Option<String>,
    pub source: String,
    pub confidence: Confidence,
}

/// A kubeadm API version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct KubeadmApi {
    pub api: String,
    pub kubernetes: Range,
    pub extra_args: String,
    pub note: Option<String>,
    pub source: String,
    pub confidence: Confidence,
}

/// A case with its verdict.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "versions of the things they are named after, and what the resolver must answer")]
pub struct DerivedExample {
    pub runai: Version,
    pub kubespray: Version,
    pub kubernetes: Version,
    pub gpu_operator: Version,
    pub knative_operator: Version,
    pub verdict: String,
    pub because: Option<String>,
}

impl Compatibility {
    /// The lines of a component's table, or of a part that components carry, by its name there.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&IndexMap<String, ComponentLine>> {
        match name {
            "gpu_operator" => Some(&self.gpu_operator),
            "network_operator" => Some(&self.network_operator),
            "knative_operator" => Some(&self.knative_operator),
            "knative_serving" => Some(&self.knative_serving),
            "lws" => Some(&self.lws),
            "kube_prometheus_stack" => Some(&self.kube_prometheus_stack),
            _ => None,
        }
    }

    /// Title of a source.
    #[must_use]
    pub fn title<'a>(&'a self, source: &'a str) -> &'a str {
        self.sources.get(source).map_or(source, String::as_str)
    }
}

/// The line a version belongs to: its minor, else its major.
pub(crate) fn line<'a, T>(lines: &'a IndexMap<String, T>, version: &Version) -> Option<(&'a str, &'a T)> {
    let major = version.semver().major.to_string();
    lines
        .get_key_value(&version.minor())
        .or_else(|| lines.get_key_value(&major))
        .map(|(name, line)| (name.as_str(), line))
}

/// The names of lines as versions.
pub(crate) fn line_versions<T>(lines: &IndexMap<String, T>) -> Vec<Version> {
    lines.keys().filter_map(|name| name.parse().ok()).collect()
}
