//! What the planner asks of the catalog: a narrow view, so that a planner test needs no catalog.

use plinth_catalog::{Catalog, Facts, KubernetesVersionForm, Resolution};
use plinth_model::steps::KubesprayRelease;
use plinth_model::{Digest, Finding};
use plinth_site::Desired;

/// The Kubespray release of a site.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Release, pinned.
    pub release: KubesprayRelease,
    /// How it wants versions written.
    pub form: KubernetesVersionForm,
    /// Why this release.
    pub why: String,
}

/// Components and compatibility, as the planner sees them.
pub trait Components {
    /// Digest of everything the answers depend on.
    fn digest(&self) -> Digest;
    /// Components to install, each behind what it needs.
    fn resolve(&self, desired: &Desired, facts: &Facts) -> Resolution;
    /// Compatibility of the versions with each other.
    fn check_versions(&self, desired: &Desired, resolution: &Resolution) -> Vec<Finding>;
    /// The Kubespray release that installs the wanted Kubernetes.
    ///
    /// # Errors
    /// When no release has that version; boxed because it is large.
    fn kubespray(&self, desired: &Desired) -> Result<Engine, Box<Finding>>;
    /// What is wrong with the site's own variables of Kubespray: names that the release does not know, versions it does not have.
    fn check_kubespray_vars(&self, desired: &Desired, release: &KubesprayRelease) -> Vec<Finding>;
}

impl Components for Catalog {
    fn digest(&self) -> Digest {
        self.digest().clone()
    }

    fn resolve(&self, desired: &Desired, facts: &Facts) -> Resolution {
        self.resolve(desired, facts)
    }

    fn check_versions(&self, desired: &Desired, resolution: &Resolution) -> Vec<Finding> {
        self.check_versions(desired, resolution)
    }

    fn kubespray(&self, desired: &Desired) -> Result<Engine, Box<Finding>> {
        self.kubespray(desired).map(|(release, form, why)| Engine { release, form, why }).map_err(Box::new)
    }

    fn check_kubespray_vars(&self, desired: &Desired, release: &KubesprayRelease) -> Vec<Finding> {
        self.check_kubespray_vars(desired, release)
    }
}
