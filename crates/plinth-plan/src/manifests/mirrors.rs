//! What the mirrors of a site without internet hold, and how an image is told from another.

use super::operands::Operand;
use crate::unmirrored::{is_closed, registry};
use plinth_catalog::Resolution;
use plinth_model::Stage;
use plinth_model::text::host_of;
use plinth_site::Desired;
use std::collections::BTreeSet;

/// What the site's mirrors hold, as far as the catalog can say: `plinth render mirror-list` names it.
#[derive(Clone, Debug)]
pub(super) struct Mirrors {
    /// Registries for which one stands.
    registries: BTreeSet<String>,
    /// Their own hosts: an image with such a name is asked for there.
    hosts: BTreeSet<String>,
    /// Images of the list.
    listed: BTreeSet<String>,
    /// Images without tag that stand in objects of operators and are not pulled as the site's values are.
    idle: BTreeSet<String>,
    /// Components whose images come with the vendor's package.
    pub(super) of_vendor: BTreeSet<String>,
}

impl Mirrors {
    /// None: the site has the internet.
    pub(super) fn of(desired: &Desired, resolution: &Resolution) -> Option<Self> {
        if !is_closed(desired) {
            return None;
        }
        let mirrors = &desired.registries.mirrors;
        let hosts = mirrors.iter().flat_map(|mirror| &mirror.endpoints).map(|url| host_of(url.as_str()).to_owned());
        let vendor = resolution.components.iter().filter(|component| component.stage == Stage::Runai);
        Some(Self {
            registries: mirrors.iter().map(|mirror| mirror.registry.clone()).collect(),
            hosts: hosts.collect(),
            listed: resolution
                .components
                .iter()
                .flat_map(|component| &component.images)
                .map(|image| whole(image))
                .collect(),
            idle: resolution.components.iter().flat_map(|one| &one.idle_images).map(|image| whole(image)).collect(),
            of_vendor: vendor.map(|component| component.name.clone()).collect(),
        })
    }

    #[cfg(test)]
    pub(super) fn new(
        registries: &[&str],
        (listed, idle): (&[&str], &[&str]),
        hosts: &[&str],
        of_vendor: &[&str],
    ) -> Self {
        let set = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let (registries, listed) = (set(registries), set(listed));
        Self { registries, hosts: set(hosts), listed, idle: set(idle), of_vendor: set(of_vendor) }
    }

    pub(super) fn lacks(&self, image: &str) -> bool {
        self.lacks_all(image, |listed| *listed == whole(image))
    }

    /// The same for an image that an operator pulls.
    pub(super) fn lacks_operand(&self, operand: &Operand) -> bool {
        let wanted = whole(&operand.image);
        let is_it = |listed: &String| is_image(listed, &wanted, operand.may_go_on);
        !self.idle.contains(without_tag(&wanted)) && self.lacks_all(&operand.image, is_it)
    }

    fn lacks_all(&self, image: &str, is_it: impl Fn(&String) -> bool) -> bool {
        let registry = registry(image);
        let is_copied = self.registries.contains(registry) && self.listed.iter().any(is_it);
        !is_copied && !self.hosts.contains(registry)
    }
}

/// Whether a listed image is this one. Behind the tag of some an operator writes more, such as the system of a node: `580.95-ubuntu24.04`.
#[must_use]
pub fn is_image(listed: &str, image: &str, may_go_on: bool) -> bool {
    let rest = listed.strip_prefix(image);
    rest.is_some_and(|rest| rest.is_empty() || (may_go_on && rest.starts_with('-')))
}

/// An image without its tag and its digest.
#[must_use]
pub fn without_tag(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    // A colon before the last slash is that of a port.
    let name = image.rfind('/').map_or(0, |slash| slash + 1);
    let tag = image.get(name..).and_then(|name| name.find(':'));
    tag.and_then(|colon| image.get(..name + colon)).unwrap_or(image)
}

/// The image with its registry, and without the digest where it has a tag: `docker.io/library/busybox:1`.
pub(super) fn whole(image: &str) -> String {
    let registry = registry(image);
    let rest = image.strip_prefix(registry).and_then(|rest| rest.strip_prefix('/')).unwrap_or(image);
    let library = if registry == "docker.io" && !rest.contains('/') { "library/" } else { "" };
    let (named, digest) = rest.split_once('@').map_or((rest, None), |(named, digest)| (named, Some(digest)));
    match digest.filter(|_| !named.contains(':')) {
        Some(digest) => format!("{registry}/{library}{named}@{digest}"),
        None => format!("{registry}/{library}{named}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_image, whole, without_tag};

    #[test]
    fn a_listed_image_is_found_by_its_tag_or_by_the_beginning_of_it() {
        assert!(is_image("a/b:1-ubuntu", "a/b:1", true) && is_image("a/b:1", "a/b:1", false));
        assert!(!is_image("a/b:1-ubuntu", "a/b:1", false) && !is_image("a/b:12", "a/b:1", true));
        for (image, name) in [
            ("a.test:5000/b/c:1", "a.test:5000/b/c"),
            ("a.test:5000/b/c", "a.test:5000/b/c"),
            ("a.test/b@sha256:00", "a.test/b"),
            ("a.test/b:1@sha256:00", "a.test/b"),
        ] {
            assert_eq!(without_tag(image), name, "{image}");
        }
    }

    #[test]
    fn an_image_has_one_name_however_it_is_written() {
        for (image, wanted) in [
            ("busybox:1", "docker.io/library/busybox:1"),
            ("docker.io/library/busybox:1", "docker.io/library/busybox:1"),
            ("bitnami/a:1", "docker.io/bitnami/a:1"),
            ("quay.io/a/b:1@sha256:00", "quay.io/a/b:1"),
            ("quay.io/a/b@sha256:00", "quay.io/a/b@sha256:00"),
        ] {
            assert_eq!(whole(image), wanted, "{image}");
        }
    }
}
