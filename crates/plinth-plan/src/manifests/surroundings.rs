//! What stands around the manifests: the site, its plan, and the cluster if there is one.

use super::mirrors::Mirrors;
use super::{Content, Manifests};
use crate::catalog::Components;
use crate::cluster::Cluster;
use crate::discover::discover;
use crate::facts::facts;
use crate::hardware;
use crate::images;
use crate::observed::Observed;
use crate::planner::with_known_version;
use crate::storage;
use plinth_catalog::Resolution;
use plinth_model::steps::{ComponentRemoval, HelmRelease, KubeObjects, Namespace, PodSecurity};
use plinth_model::{Plan, ReleaseName, Step, StepId, Version, Work};
use plinth_site::Desired;
use plinth_site::desired::{Engine, InventorySource};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What was seen of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is none yet.
    NoCluster,
    /// It was not looked at, or could not be: what depends on it is not judged.
    NotLookedAt,
    /// This.
    Cluster(Content),
}

impl Seen {
    pub(super) fn content(&self) -> Option<&Content> {
        match self {
            Self::Cluster(content) => Some(content),
            Self::NoCluster | Self::NotLookedAt => None,
        }
    }
}

/// What the site and its plan say.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub(super) kubernetes: Option<Version>,
    /// Levels of the namespaces that the plan makes.
    pub(super) levels: BTreeMap<String, PodSecurity>,
    /// Components that are finished before each.
    pub(super) before: BTreeMap<String, BTreeSet<String>>,
    /// Releases that the plan takes away before each component comes.
    pub(super) gone: BTreeMap<String, BTreeSet<ReleaseName>>,
    /// Objects that the plan applies beside the release of each component.
    pub(super) beside: BTreeMap<String, Vec<Value>>,
    /// Components of which something is left to do; none: all of them.
    pub(super) pending: Option<BTreeSet<String>>,
    pub(super) mirrors: Option<Mirrors>,
    /// BCM's daemon runs on every machine.
    pub(super) has_bcm: bool,
    /// BCM's proxy of the API and of the ingress runs on every machine.
    pub(super) has_bcm_proxy: bool,
}

impl Surroundings {
    /// Of a site with its plan. What was observed and the catalog are those that the plan was made from.
    #[must_use]
    pub fn of(site: &Desired, observed: &Observed, catalog: &dyn Components, plan: &Plan) -> Self {
        let desired = &*with_known_version(site, observed);
        let (mut cluster, _) = Cluster::new(desired, &discover(desired, &observed.inventory));
        let _notes = images::place(desired, &mut cluster, &observed.facts);
        let _findings = hardware::place(desired, &mut cluster, &observed.facts, catalog);
        storage::place(desired, &mut cluster, observed);
        cluster.add_role_labels(desired, &catalog.runai().node_roles);
        let resolution = catalog.resolve(desired, &facts(desired, &cluster));
        Self::new(desired, plan, &resolution)
    }

    /// From the plan of a site, and the components that it was made from.
    pub(super) fn new(desired: &Desired, plan: &Plan, resolution: &Resolution) -> Self {
        let levels = plan.steps.iter().filter_map(|step| match &step.work {
            Work::Namespace(Namespace { name, pod_security }) => Some((name.clone(), *pod_security)),
            _ => None,
        });
        let Ahead { before, gone } = ahead(plan);
        Self {
            kubernetes: desired.kubernetes.version.clone(),
            levels: levels.collect(),
            before,
            gone,
            beside: beside(plan),
            pending: None,
            mirrors: Mirrors::of(desired, resolution),
            has_bcm: matches!(desired.inventory, InventorySource::Bcm(_)),
            has_bcm_proxy: desired.kubernetes.engine == Engine::Bcm,
        }
    }

    pub(super) fn level(&self, namespace: &str) -> Option<PodSecurity> {
        self.levels.get(namespace).copied()
    }

    /// The Kubernetes that the manifests are for.
    #[must_use]
    pub fn kubernetes(&self) -> Option<&Version> {
        self.kubernetes.as_ref()
    }

    /// Components that are finished before this one, without itself.
    pub(super) fn before(&self, component: &str) -> impl Iterator<Item = &str> {
        self.before.get(component).into_iter().flatten().map(String::as_str)
    }

    /// The same, where only of these components something is left to do: of the others the cluster has what they bring.
    #[must_use]
    pub fn with_pending(self, components: impl IntoIterator<Item = String>) -> Self {
        Self { pending: Some(components.into_iter().collect()), ..self }
    }

    /// Whether a component is finished before another one comes.
    #[must_use]
    pub fn is_before(&self, first: &str, component: &str) -> bool {
        self.before.get(component).is_some_and(|all| all.contains(first))
    }

    /// Whether the plan takes a release away before a component comes.
    pub(super) fn is_gone_before(&self, component: &str, release: &ReleaseName) -> bool {
        self.gone.get(component).is_some_and(|all| all.contains(release))
    }

    pub(super) fn beside(&self, component: &str) -> impl Iterator<Item = &Value> {
        self.beside.get(component).into_iter().flatten()
    }

    /// Components before this one that would bring something, and nobody knows what.
    pub(super) fn unrendered<'a>(&'a self, component: &'a str, all: &'a [Manifests]) -> impl Iterator<Item = &'a str> {
        let is_pending = |name: &&str| self.pending.as_ref().is_none_or(|pending| pending.contains(*name));
        self.before(component).filter(is_pending).filter(|name| !all.iter().any(|one| one.component == *name))
    }
}

fn component(step: &Step) -> Option<&str> {
    match &step.work {
        Work::HelmRelease(HelmRelease { release, .. }) => Some(&release.component),
        Work::KubeObjects(KubeObjects { component, .. }) => Some(component),
        _ => None,
    }
}

fn removed(step: &Step) -> Vec<&ReleaseName> {
    match &step.work {
        Work::ComponentRemoval(ComponentRemoval { parts, .. }) => parts.releases.iter().collect(),
        _ => Vec::new(),
    }
}

fn beside(plan: &Plan) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for step in &plan.steps {
        if let Work::KubeObjects(KubeObjects { component, objects, .. }) = &step.work {
            all.entry(component.clone()).or_default().extend(objects.iter().cloned());
        }
    }
    all
}

/// What is there when the release of a component comes, by component.
#[derive(Default)]
struct Ahead {
    before: BTreeMap<String, BTreeSet<String>>,
    gone: BTreeMap<String, BTreeSet<ReleaseName>>,
}

/// Each component with what its release waits for. A plan's steps stand in an order of their own, so needs are followed.
fn ahead(plan: &Plan) -> Ahead {
    let places: HashMap<&StepId, usize> =
        plan.steps.iter().enumerate().map(|(place, step)| (&step.id, place)).collect();
    let of = |step: &Step| step.needs.iter().filter_map(|id| places.get(id).copied()).collect();
    let needs: Vec<Vec<usize>> = plan.steps.iter().map(of).collect();
    let mut ahead = Ahead::default();
    for (place, step) in plan.steps.iter().enumerate() {
        let Work::HelmRelease(HelmRelease { release, .. }) = &step.work else { continue };
        let (mut before, mut gone) = (BTreeSet::new(), BTreeSet::new());
        let mut seen = vec![false; plan.steps.len()];
        let mut open = needs[place].clone();
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            let needed = &plan.steps[place];
            // Its own objects come behind it, so its own name is not among them but by what leaves.
            before.extend(component(needed).map(str::to_owned));
            gone.extend(removed(needed).into_iter().cloned());
            open.extend(&needs[place]);
        }
        ahead.before.insert(release.component.clone(), before);
        ahead.gone.insert(release.component.clone(), gone);
    }
    ahead
}
