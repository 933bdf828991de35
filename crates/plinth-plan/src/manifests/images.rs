//! Images that a mirror lacks, on a site that has no internet: those of pods, and those that operators' own objects name.

use super::mirrors::whole;
use super::operands;
use super::{Manifests, Surroundings, with_evidence};
use plinth_model::Finding;
use plinth_model::finding::code;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Images that these objects name, in one form with their registry, each with whether an operator may write more behind its tag: those of
/// pods, and those of operators' own objects.
#[must_use]
pub fn named_images<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Vec<(String, bool)> {
    let mut named = Vec::new();
    for object in objects {
        let pod = super::pods::pod(object, String::new(), String::new());
        let images = pod.iter().flat_map(|pod| pod.containers()).filter_map(|container| container["image"].as_str());
        named.extend(images.map(|image| (whole(image), false)));
        named.extend(operands::of(object).into_iter().map(|operand| (whole(&operand.image), operand.may_go_on)));
    }
    named.sort();
    named.dedup();
    named
}

/// One finding for each component with images that no mirror has.
pub(super) fn judge(all: &[Manifests], around: &Surroundings) -> Vec<Finding> {
    let Some(mirrors) = &around.mirrors else { return Vec::new() };
    let mut lacking: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for one in all.iter().filter(|one| !mirrors.of_vendor.contains(&one.component)) {
        for pod in one.pods() {
            let images = pod.containers().filter_map(|container| container["image"].as_str());
            let images = images.filter(|image| mirrors.lacks(image)).map(str::to_owned);
            lacking.entry(&one.component).or_default().extend(images);
        }
        let operands = one.objects.iter().chain(around.beside(&one.component)).flat_map(operands::of);
        let operands = operands.filter(|operand| mirrors.lacks_operand(operand)).map(|operand| operand.image);
        lacking.entry(&one.component).or_default().extend(operands);
    }
    lacking.retain(|_, images| !images.is_empty());
    lacking.into_iter().map(|(component, images)| finding(component, images)).collect()
}

fn finding(component: &str, images: BTreeSet<String>) -> Finding {
    let text = format!("{component} uses images that are not in the list of the mirror (`plinth render mirror-list`)");
    let fix = "put these images into the mirror too, see that `registries.mirrors` has their registry, or take away the values that ask for them";
    with_evidence(Finding::warning(code::PLATFORM_IMAGE_NOT_LISTED, component, text), images.into_iter().collect())
        .fix(fix)
}
