//! The compatibility data: what vendors say goes together, with the document and how far it can be trusted.

use crate::range::Range;
use indexmap::IndexMap;
use plinth_model::Version;
use plinth_model::facts::SharedNeeds;
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
    /// What may be upgraded to which in a single step.
    pub runai_upgrades: Vec<UpgradeBorder>,
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
    /// ingress-nginx, by minor of its chart.
    pub ingress_nginx: IndexMap<String, ComponentLine>,
    /// What Base Command Manager ships together; for people.
    pub bcm_bundle: IndexMap<String, Value>,
    /// Allowed distance of Kubernetes' own parts.
    pub kubernetes_skew: Vec<Skew>,
    /// Which kubeadm API takes which form.
    pub kubeadm_api: Vec<KubeadmApi>,
    /// Cases with their verdict; they are the resolver's test.
    pub derived_examples: Vec<DerivedExample>,
}

/// From which releases one may go to these in a single step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpgradeBorder {
    /// Releases that it is about.
    pub to: Range,
    /// The oldest release from which it goes.
    #[serde(default)]
    pub from: Option<Version>,
    /// At most so many rows of the table of releases.
    #[serde(default)]
    pub versions: Option<usize>,
    /// Key into [`Compatibility::sources`].
    pub source: String,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

impl Compatibility {
    /// The oldest release of Run:ai from which one may go to this one in a single step; none: the sources do not say.
    #[must_use]
    pub fn upgrades_from(&self, to: &Version) -> Option<Version> {
        let border = self.runai_upgrades.iter().find(|border| border.to.contains(to))?;
        let mut lines: Vec<Version> = self.runai.keys().filter_map(|line| line.parse().ok()).collect();
        lines.sort_unstable();
        let at = lines.iter().rposition(|line| line <= to);
        let counted = border.versions.and_then(|most| lines.get(at?.saturating_sub(most)).cloned());
        border.from.clone().into_iter().chain(counted).max()
    }
}

/// Row of both parts of Run:ai on the same nodes, where a document says it.
const BOTH: &str = "combined_system_nodes";
/// Row of the control plane alone.
const CONTROL_PLANE: &str = "control_plane_system_nodes";
/// Rows of the part in the cluster, by version.
const CLUSTER_PART: [&str; 2] = ["cluster_system_nodes", "cluster_system_nodes_old"];

impl Compatibility {
    /// What the system nodes must have together for this release of Run:ai, with its control plane or without. Releases before the
    /// first that a document names for the control plane are measured by the one document about both parts.
    #[must_use]
    pub fn system_needs(&self, version: &Version, with_control_plane: bool) -> SharedNeeds {
        let fits = |row: &&Hardware| row.versions.as_ref().is_none_or(|range| range.contains(version));
        let row = |name: &str| self.runai_hardware.get(name);
        let part = CLUSTER_PART.into_iter().filter_map(row).find(fits);
        let rows: Vec<&Hardware> = match (with_control_plane, row(CONTROL_PLANE).filter(fits)) {
            (false, _) => part.into_iter().collect(),
            (true, _) if row(BOTH).is_some_and(|both| fits(&both)) => row(BOTH).into_iter().collect(),
            (true, Some(plane)) => std::iter::once(plane).chain(part).collect(),
            (true, None) => row(BOTH).into_iter().collect(),
        };
        let sum = |one: fn(&Hardware) -> Option<u32>| rows.iter().filter_map(|row| one(row)).sum();
        let titles = rows.iter().filter_map(|row| self.sources.get(&row.source).cloned());
        SharedNeeds {
            who: format!("Run:ai {}", version.minor()),
            cpus: sum(|row| row.cpu_cores),
            memory_gb: sum(|row| row.memory_gb),
            disk_gb: sum(|row| row.disk_gb),
            sources: titles.collect(),
        }
    }
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
    /// What people should know of this row, in words.
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

/// What the documents say of one minor (or major) of a component: a row of its table. None: they say nothing of it.
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

/// Which versions of Kubernetes one release of Kubespray installs, and who says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubernetesVersions {
    /// From the oldest to the newest that it installs, as its documents say; `newest_patches` narrows it.
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
    /// Exactly this one, when nobody asks for another.
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
            "ingress_nginx" => Some(&self.ingress_nginx),
            "kube_prometheus_stack" => Some(&self.kube_prometheus_stack),
            _ => None,
        }
    }

    /// Lines of a part that a version of a component carries, oldest first. None: nothing is known of that version, or it carries none.
    #[must_use]
    pub fn carried(&self, table: &str, version: &Version, part: &str) -> Option<Vec<Version>> {
        let (_, row) = line(self.table(table)?, version)?;
        let (_, wanted) = row.requirements().into_iter().find(|(name, _)| *name == part)?;
        let range = wanted.range.as_ref()?;
        let mut lines = line_versions(self.table(part)?);
        lines.retain(|line| range.contains(line));
        lines.sort();
        Some(lines)
    }

    /// Title of the document behind a key of [`Compatibility::sources`]; the key itself when it has none.
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::Catalog;

    #[test]
    fn an_upgrade_of_run_ai_begins_where_its_documents_say() {
        let catalog = Catalog::embedded().unwrap();
        let from = |to: &str| catalog.compatibility().upgrades_from(&to.parse().unwrap()).map(|from| from.to_string());
        assert_eq!(from("2.21.43").as_deref(), Some("2.17"), "any of the same line");
        assert_eq!(from("2.25").as_deref(), Some("2.17"));
        assert_eq!(from("2.26"), None, "no document says");
        assert_eq!(from("3.0.4").as_deref(), Some("2.23"), "2.24, 2.25, 2.26 and 3.0 are four");
    }

    #[test]
    fn what_system_nodes_carry_is_the_sum_of_their_parts() {
        let catalog = Catalog::embedded().unwrap();
        let needs = |version: &str, both| {
            let needs = catalog.compatibility().system_needs(&version.parse().unwrap(), both);
            assert!(!needs.sources.is_empty(), "{version}");
            (needs.cpus, needs.memory_gb, needs.disk_gb)
        };
        assert_eq!(needs("2.25", true), (20, 32, 160));
        assert_eq!(needs("2.25", false), (10, 20, 50));
        assert_eq!(needs("2.21.43", true), (20, 42, 160));
        assert_eq!(needs("2.18", true), (20, 42, 160));
        assert_eq!(needs("2.18", false), (8, 16, 50));
    }
}
