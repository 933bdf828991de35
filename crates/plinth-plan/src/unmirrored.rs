//! Images of an air-gapped site for which no mirror stands.

use plinth_catalog::Resolution;
use plinth_model::Finding;
use plinth_model::finding::code;
use plinth_site::Desired;
use plinth_site::desired::{ArtifactSource, Engine};
use std::collections::{BTreeMap, BTreeSet};

/// One finding for each registry that images are known to come from and that has no mirror. Only where the site says that it has no
/// internet, and where the nodes are told of mirrors by us.
#[must_use]
pub fn unmirrored(desired: &Desired, resolution: &Resolution) -> Vec<Finding> {
    if !is_closed(desired) {
        return Vec::new();
    }
    let mirrored: BTreeSet<&str> = desired.registries.mirrors.iter().map(|mirror| mirror.registry.as_str()).collect();
    let mut images: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for component in &resolution.components {
        for image in &component.images {
            let registry = registry(image);
            if !mirrored.contains(registry) {
                images.entry(registry).or_default().insert(format!("{}: {image}", component.name));
            }
        }
    }
    images.into_iter().map(|(registry, images)| finding(registry, images)).collect()
}

/// Whether the site has no internet, and its nodes are told of mirrors by us.
pub(crate) fn is_closed(desired: &Desired) -> bool {
    let says_so = desired.runai.as_ref().is_some_and(|runai| runai.source == ArtifactSource::Airgapped);
    says_so && desired.kubernetes.engine == Engine::Kubespray
}

/// The registry of an image; a name without one is Docker Hub's.
pub(crate) fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

fn finding(registry: &str, images: BTreeSet<String>) -> Finding {
    let text = format!("images of the platform come from {registry}, and no mirror stands for it");
    let finding = Finding::warning(code::PLATFORM_IMAGES_NOT_MIRRORED, "registries.mirrors", text);
    let fix = format!(
        "add `- {{registry: {registry}, endpoints: [URL]}}` under registries.mirrors, and fill it with these images"
    );
    images.into_iter().fold(finding, Finding::evidence).fix(fix)
}

#[cfg(test)]
mod tests {
    use super::registry;

    #[test]
    fn a_name_without_a_registry_is_docker_hubs() {
        let cases = [
            ("gcr.io/knative/x:1", "gcr.io"),
            ("busybox", "docker.io"),
            ("library/busybox:1", "docker.io"),
            ("localhost/x", "localhost"),
            ("mirror:5000/x", "mirror:5000"),
        ];
        for (image, wanted) in cases {
            assert_eq!(registry(image), wanted, "{image}");
        }
    }
}
