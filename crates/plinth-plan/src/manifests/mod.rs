//! What the manifests of components would meet, judged before anything of them is in the cluster: the level of their namespaces,
//! ports, images, kinds, and objects that are there already. Pure; who renders them is the Helm client.

mod images;
mod kinds;
mod mirrors;
mod operands;
mod owners;
mod pods;
mod ports;
mod surroundings;
#[cfg(test)]
mod tests;

pub use images::named_images;
pub use kinds::kinds_for;
pub use mirrors::{is_image, without_tag};
pub use ports::{Port, Protocol, TakenPort};
pub use surroundings::{Seen, Surroundings};

use plinth_model::api_group::is_of_cluster;
use plinth_model::finding::code;
use plinth_model::steps::PodSecurity;
use plinth_model::{Finding, ObjectName, ReleaseName};
use pods::{Pod, pod};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Lines of evidence that a finding has at most; the rest is counted.
const EVIDENCE: usize = 12;

/// What one component would bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifests {
    /// Name of the component.
    pub component: String,
    /// The release that its objects belong to.
    pub release: ReleaseName,
    /// Objects of its templates and hooks.
    pub objects: Vec<Value>,
    /// Definitions of kinds beside the templates: helm makes them first, leaves those that are there, and no release owns them.
    pub definitions: Vec<Value>,
}

/// What the cluster holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Kinds that the API server serves beside Kubernetes' own: `monitoring.coreos.com/v1/ServiceMonitor`.
    pub kinds: BTreeSet<String>,
    /// Those of the manifests' objects that are there, with the release that they belong to; none: to no release.
    pub owners: Vec<(ObjectName, Option<ReleaseName>)>,
    /// Node ports in use.
    pub node_ports: Vec<TakenPort>,
}

/// All that is wrong or doubtful, component by component.
#[must_use]
pub fn judge(all: &[Manifests], around: &Surroundings, seen: &Seen) -> Vec<Finding> {
    let mut findings: Vec<Finding> = all.iter().flat_map(|one| refused_pods(one, around)).collect();
    findings.extend(images::judge(all, around));
    findings.extend(ports::judge(all, around, seen));
    findings.extend(kinds::judge(all, around, seen));
    findings.extend(all.iter().filter_map(|one| owners::judge(one, all, around, seen)));
    findings
}

/// Names of the objects that a cluster has to be asked about: those that a release would own.
#[must_use]
pub fn asked(all: &[Manifests]) -> Vec<ObjectName> {
    let mut names: Vec<ObjectName> = all
        .iter()
        .flat_map(|one| one.objects.iter().filter(|object| !is_hook(object)).map(|object| one.name(object)))
        .collect();
    names.retain(|name| !name.kind.is_empty() && !name.name.is_empty());
    names.sort();
    names.dedup();
    names
}

impl Manifests {
    fn objects(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().chain(&self.definitions)
    }

    fn name(&self, object: &Value) -> ObjectName {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind, mut namespace) = (text("/apiVersion"), text("/kind"), text("/metadata/namespace"));
        if namespace.is_empty() && !is_of_cluster(&api_version, &kind) {
            namespace.clone_from(&self.release.namespace);
        }
        ObjectName { api_version, kind, namespace, name: text("/metadata/name") }
    }

    fn pods(&self) -> impl Iterator<Item = Pod<'_>> {
        self.objects.iter().filter_map(|object| {
            let name = self.name(object);
            pod(object, format!("{} {}/{}", name.kind, name.namespace, name.name), name.namespace)
        })
    }
}

/// Made and removed by helm around a release, and not owned by it.
fn is_hook(object: &Value) -> bool {
    object["metadata"]["annotations"].get("helm.sh/hook").is_some()
}

/// One finding for each namespace that would refuse pods of the component.
fn refused_pods(one: &Manifests, around: &Surroundings) -> Vec<Finding> {
    let mut by_namespace: BTreeMap<String, (PodSecurity, Vec<String>)> = BTreeMap::new();
    for pod in one.pods() {
        let Some(level) = around.level(&pod.namespace) else { continue };
        let reasons = pod.refused_at(level, around.kubernetes());
        if !reasons.is_empty() {
            let (_, lines) = by_namespace.entry(pod.namespace.clone()).or_insert((level, Vec::new()));
            lines.push(format!("{}: {}", pod.title, reasons.join(", ")));
        }
    }
    let finding = |(namespace, (level, lines)): (String, (PodSecurity, Vec<String>))| {
        let level = in_words(level);
        let text = format!(
            "{} has pods that namespace {namespace} would refuse: its Pod Security level is {level}",
            one.component
        );
        let fix = format!(
            "take away the values of {} that ask for it, or give it a namespace of a level that takes them",
            one.component
        );
        with_evidence(Finding::warning(code::PLATFORM_POD_SECURITY, &*one.component, text), lines).fix(fix)
    };
    by_namespace.into_iter().map(finding).collect()
}

const fn in_words(level: PodSecurity) -> &'static str {
    match level {
        PodSecurity::Restricted => "restricted",
        PodSecurity::Baseline => "baseline",
        PodSecurity::Privileged => "privileged",
    }
}

/// As many lines as a person reads; the rest is counted.
fn with_evidence(finding: Finding, lines: Vec<String>) -> Finding {
    let more = lines.len().saturating_sub(EVIDENCE);
    let finding = lines.into_iter().take(EVIDENCE).fold(finding, Finding::evidence);
    if more == 0 { finding } else { finding.evidence(format!("and {more} more")) }
}
