//! Kinds that no one installs: the API server would refuse their objects.

use super::{Manifests, Seen, Surroundings, with_evidence};
use plinth_model::Finding;
use plinth_model::api_group::{group_of, is_own};
use plinth_model::finding::code;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Groups that a network plugin brings, which is there before any component.
const OF_THE_NETWORK: [&str; 3] = ["cilium.io", "crd.projectcalico.org", "projectcalico.org"];

/// One finding for each component that has objects of a kind that nobody serves when it is installed. Where that cannot be known, since
/// the cluster was not looked at or something before it was not rendered, nothing is said.
pub(super) fn judge(all: &[Manifests], around: &Surroundings, seen: &Seen) -> Vec<Finding> {
    let defined: BTreeMap<&str, BTreeSet<String>> =
        all.iter().map(|one| (one.component.as_str(), one.objects().flat_map(defines).collect())).collect();
    if *seen == Seen::NotLookedAt {
        return Vec::new();
    }
    all.iter().filter_map(|one| missing(one, &defined, all, around, seen)).collect()
}

/// Kinds beside Kubernetes' own that are served when this component is installed, as far as it is known: those of the cluster, and those
/// of what comes before.
#[must_use]
pub fn kinds_for(component: &str, all: &[Manifests], around: &Surroundings, seen: &Seen) -> Vec<String> {
    let mut kinds: BTreeSet<String> =
        seen.content().into_iter().flat_map(|content| content.kinds.iter().cloned()).collect();
    let sooner = all.iter().filter(|one| around.before(component).any(|name| name == one.component));
    kinds.extend(sooner.flat_map(Manifests::objects).flat_map(defines));
    kinds.into_iter().collect()
}

fn missing(
    one: &Manifests,
    defined: &BTreeMap<&str, BTreeSet<String>>,
    all: &[Manifests],
    around: &Surroundings,
    seen: &Seen,
) -> Option<Finding> {
    if around.unrendered(&one.component, all).next().is_some() {
        return None;
    }
    let mut there: BTreeSet<&str> =
        seen.content().into_iter().flat_map(|content| &content.kinds).map(String::as_str).collect();
    let sooner = around.before(&one.component).chain([one.component.as_str()]);
    there.extend(sooner.filter_map(|name| defined.get(name)).flatten().map(String::as_str));
    let mut lines = BTreeSet::new();
    for object in one.objects() {
        let Some(kind) = kind_of(object).filter(|kind| !there.contains(kind.as_str())) else { continue };
        let from = defined.iter().find(|(_, kinds)| kinds.contains(&kind)).map(|(name, _)| *name);
        let from =
            from.map_or_else(String::new, |name| format!(", which comes with {name}, and that is not before it"));
        lines.insert(format!("{} is of {kind}{from}", one.name(object)));
    }
    if lines.is_empty() {
        return None;
    }
    let text = format!("{} has objects of kinds that no component before it installs", one.component);
    let fix = format!(
        "switch on the component that brings the kind, or take away the values of {} that ask for such objects",
        one.component
    );
    Some(
        with_evidence(
            Finding::warning(code::PLATFORM_KIND_UNKNOWN, &*one.component, text),
            lines.into_iter().collect(),
        )
        .fix(fix),
    )
}

/// `monitoring.coreos.com/v1/ServiceMonitor`; none: Kubernetes itself has it.
fn kind_of(object: &Value) -> Option<String> {
    let (version, kind) = (object["apiVersion"].as_str()?, object["kind"].as_str()?);
    let group = group_of(version);
    let known = is_own(group) || OF_THE_NETWORK.contains(&group);
    (!known).then(|| format!("{version}/{kind}"))
}

/// Kinds that a definition brings, one for each version that it serves.
fn defines(object: &Value) -> Vec<String> {
    if object["kind"] != "CustomResourceDefinition" {
        return Vec::new();
    }
    let spec = &object["spec"];
    let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str()) else { return Vec::new() };
    let versions = spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] != false);
    versions.filter_map(|version| version["name"].as_str()).map(|version| format!("{group}/{version}/{kind}")).collect()
}
