//! Objects that are there already and belong to somebody else: helm refuses them ("invalid ownership metadata").

use super::{Manifests, Seen, Surroundings, is_hook, with_evidence};
use plinth_model::finding::code;
use plinth_model::{Finding, ObjectName, ReleaseName};
use std::collections::BTreeSet;

/// One finding for a component of which objects are somebody else's: of the cluster, or of a component that comes before it. What belongs
/// to a release that the plan takes away before is nobody's by then.
pub(super) fn judge(one: &Manifests, all: &[Manifests], around: &Surroundings, seen: &Seen) -> Option<Finding> {
    let names: BTreeSet<ObjectName> = owned(one).collect();
    let owners = seen.content().into_iter().flat_map(|content| &content.owners);
    let leaves = |owner: &ReleaseName| around.is_gone_before(&one.component, owner);
    let foreign = owners.filter(|(name, owner)| {
        owner.as_ref() != Some(&one.release) && !owner.as_ref().is_some_and(leaves) && names.contains(name)
    });
    let mut lines: Vec<String> = foreign
        .map(|(name, owner)| match owner {
            Some(release) => format!("{name} belongs to release {release}"),
            None => format!("{name} belongs to no release: Kubespray or a person made it"),
        })
        .collect();
    for other in all.iter().take_while(|other| other.component != one.component) {
        let both = owned(other).filter(|name| names.contains(name));
        lines.extend(both.map(|name| format!("{name} is made by {} too", other.component)));
    }
    if lines.is_empty() {
        return None;
    }
    let text = format!("{} cannot be installed: objects of its names belong to somebody else", one.component);
    let fix = format!(
        "uninstall or remove what has them, or leave {} out (`enabled: false`) where what is there does the same",
        one.component
    );
    Some(with_evidence(Finding::warning(code::PLATFORM_OBJECT_OWNED, &*one.component, text), lines).fix(fix))
}

/// Names of what its release would own.
fn owned(one: &Manifests) -> impl Iterator<Item = ObjectName> {
    one.objects.iter().filter(|object| !is_hook(object)).map(|object| one.name(object))
}
