//! What the planner asks of the catalog: a narrow view, so that a planner test needs no catalog.

use plinth_catalog::component::Need;
use plinth_catalog::{Catalog, Facts, KubernetesVersionForm, Resolution, RunaiNames};
use plinth_model::steps::{CrdPolicy, KubesprayRelease};
use plinth_model::{Digest, Finding, Stage, Version};
use plinth_site::Desired;

/// The Kubespray release of a site.
#[derive(Clone, Debug)]
pub struct KubesprayChoice {
    /// Release, pinned.
    pub release: KubesprayRelease,
    /// Number of that release: `v2.27.1`.
    pub tag: Version,
    /// Version of Kubernetes that it is to install.
    pub kubernetes: Version,
    /// How it wants versions written.
    pub form: KubernetesVersionForm,
    /// Why this release.
    pub why: String,
}

/// What must be known of a component that is taken away.
#[derive(Clone, Debug)]
pub struct Removable {
    /// For people.
    pub title: String,
    /// Where its steps belong.
    pub stage: Stage,
    /// Components that it works with: they go later, and stay until it is gone.
    pub needs: Vec<String>,
    /// Components that it takes the place of.
    pub replaces: Vec<String>,
    /// Whether its dropped objects go before the wanted ones are applied.
    pub drops_first: bool,
    /// Who changes its custom resource definitions; those in templates go with it.
    pub crds: CrdPolicy,
    /// What people lose with it beside the release: one clause, from the catalog.
    pub lost: Option<String>,
}

/// Components and compatibility, as the planner sees them.
pub trait Components {
    /// Digest of everything the answers depend on.
    fn digest(&self) -> Digest;
    /// Components to install, each behind what it needs.
    fn resolve(&self, desired: &Desired, facts: &Facts) -> Resolution;
    /// Compatibility of the versions with each other.
    fn check_versions(&self, desired: &Desired, resolution: &Resolution) -> Vec<Finding>;
    /// A component by name, as far as taking it away asks; none: this catalog does not have it.
    fn removable(&self, component: &str) -> Option<Removable>;
    /// InfiniBand interfaces that the site or its model of machine names.
    fn interfaces(&self, _facts: &Facts) -> Vec<String> {
        Vec::new()
    }
    /// What Run:ai fixes by name.
    fn runai(&self) -> &RunaiNames;
    /// The Kubespray release that installs the wanted Kubernetes.
    ///
    /// # Errors
    /// When no release has that version; boxed because it is large.
    fn kubespray(&self, desired: &Desired) -> Result<KubesprayChoice, Box<Finding>>;
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

    fn interfaces(&self, facts: &Facts) -> Vec<String> {
        self.interfaces(facts)
    }

    fn check_versions(&self, desired: &Desired, resolution: &Resolution) -> Vec<Finding> {
        self.check_versions(desired, resolution)
    }

    fn removable(&self, component: &str) -> Option<Removable> {
        let component = self.components().get(component)?;
        Some(Removable {
            title: component.title.clone(),
            stage: component.stage,
            needs: component.needs.iter().flat_map(Need::any_of).map(str::to_owned).collect(),
            replaces: component.replaces.clone(),
            drops_first: component.drops_first,
            crds: component.crds,
            lost: component.lost.clone(),
        })
    }

    fn runai(&self) -> &RunaiNames {
        self.runai()
    }

    fn kubespray(&self, desired: &Desired) -> Result<KubesprayChoice, Box<Finding>> {
        let (release, form, why) = self.kubespray(desired).map_err(Box::new)?;
        let tag = release.tag.clone();
        let kubernetes = desired.kubernetes.version.clone().ok_or_else(|| Box::new(plinth_catalog::no_version()))?;
        Ok(KubesprayChoice { release, tag, kubernetes, form, why })
    }

    fn check_kubespray_vars(&self, desired: &Desired, release: &KubesprayRelease) -> Vec<Finding> {
        self.check_kubespray_vars(desired, release)
    }
}
