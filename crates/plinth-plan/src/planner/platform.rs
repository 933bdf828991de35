//! Stage platform: certificate, namespaces, secrets, and the components with their objects.

use super::leaving::{Leaving, Room};
use crate::ids;
use crate::step::{Refine, step};
use indexmap::IndexMap;
use plinth_catalog::{Resolution, ResolvedComponent, ResolvedSecret};
use plinth_model::plan::Step;
use plinth_model::steps::{
    ClusterCredential, Health, HelmRelease, KubeObjects, KubeSecret, Namespace, PodSecurity, SecretContent,
};
use plinth_model::{NodeName, ObjectName, StepId, Work};
use plinth_site::Desired;
use serde_json::Value;
use std::collections::HashMap;

/// Namespaces that Kubernetes makes itself. Its own pods live there, so their level is never lowered.
const BUILT_IN: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// What components stand on: namespaces and secrets by namespace, and how the steps of other components are called.
pub(super) struct Base<'a> {
    join: StepId,
    by_namespace: HashMap<String, Vec<StepId>>,
    ends: HashMap<&'a str, StepId>,
    gpu: Vec<NodeName>,
    /// Steps that take away what the site no longer wants, and the step that each makes room for.
    leaving: Vec<(StepId, Option<StepId>)>,
}

/// Certificates, namespaces and secrets.
pub(super) fn base<'a>(
    desired: &Desired,
    resolution: &'a Resolution,
    certificates: Vec<Step>,
    join: StepId,
    (gpu, leaving): (Vec<NodeName>, &[Leaving<'_>]),
) -> (Base<'a>, Vec<Step>) {
    let levels = levels(resolution);
    let mut steps = certificates;
    steps.extend(levels.iter().map(|(name, (level, why))| namespace(desired, name, *level, why)));
    steps.extend(secrets(resolution));
    let mut by_namespace: HashMap<String, Vec<StepId>> = HashMap::new();
    for step in &steps {
        let place = match &step.work {
            Work::Namespace(Namespace { name, .. }) => name,
            Work::KubeSecret(KubeSecret { namespace, .. }) => namespace,
            _ => continue,
        };
        by_namespace.entry(place.clone()).or_default().push(step.id.clone());
    }
    let ends = resolution.components.iter().map(|c| (c.name.as_str(), ids::end(c))).collect();
    let leaving = leaving.iter().map(|one| (one.id(), one.makes_room_for().map(waiting))).collect();
    (Base { join, by_namespace, ends, gpu, leaving }, steps)
}

/// The step that waits for the room.
fn waiting(room: Room<'_>) -> StepId {
    match room {
        Room::Release(component) => ids::release(component),
        Room::Objects(component) => ids::objects(component),
    }
}

/// Secrets that components read: logins first, since nothing is pulled without them. What a registration gives comes with that.
fn secrets(resolution: &Resolution) -> Vec<Step> {
    let of = |component: &'_ ResolvedComponent| {
        let known = component.secrets.iter().filter(|secret| !comes_of_registration(secret));
        known.map(|secret| (rank(&secret.content), wanted_secret(secret))).collect::<Vec<_>>()
    };
    let mut ranked: Vec<(u8, Step)> = resolution.components.iter().flat_map(of).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, step)| step).collect()
}

/// Secrets of a component that hold what its registration gave.
pub(super) fn secrets_of_registration(component: &ResolvedComponent) -> impl Iterator<Item = Step> {
    component.secrets.iter().filter(|secret| comes_of_registration(secret)).map(wanted_secret)
}

fn comes_of_registration(secret: &ResolvedSecret) -> bool {
    let given = [ClusterCredential::ClientSecret, ClusterCredential::BootstrapToken];
    matches!(&secret.content, SecretContent::Value { value, .. } if given.iter().any(|one| one.kept() == *value))
}

const fn rank(content: &SecretContent) -> u8 {
    match content {
        SecretContent::RegistryLogin { .. } => 0,
        SecretContent::Tls { .. } => 1,
        SecretContent::Authority { .. } | SecretContent::Bundle { .. } => 2,
        SecretContent::Value { .. } => 3,
    }
}

fn wanted_secret(secret: &ResolvedSecret) -> Step {
    let namespace = &secret.namespace;
    let certificate = match &secret.content {
        SecretContent::Tls { certificate } | SecretContent::Authority { certificate, .. } => {
            Some(ids::certificate(certificate))
        }
        SecretContent::RegistryLogin { .. } | SecretContent::Bundle { .. } | SecretContent::Value { .. } => None,
    };
    let work = Work::KubeSecret(KubeSecret {
        namespace: namespace.clone(),
        name: secret.name.clone(),
        content: secret.content.clone(),
        labels: secret.labels.clone(),
    });
    step(ids::secret(namespace, &secret.name), work, secret.reason.clone())
        .needing([ids::namespace(namespace)])
        .needing(certificate)
}

/// Each namespace once, with the highest level that any component wants, and the components that want it.
fn levels(resolution: &Resolution) -> IndexMap<&str, (PodSecurity, Vec<&str>)> {
    let mut levels: IndexMap<&str, (PodSecurity, Vec<&str>)> = IndexMap::new();
    for component in &resolution.components {
        let own = std::iter::once((component.namespace.as_str(), component.pod_security));
        let further = component.namespaces.iter().map(|(name, level)| (name.as_str(), *level));
        for (name, level) in own.chain(further) {
            let level = if BUILT_IN.contains(&name) { PodSecurity::Privileged } else { level };
            let (highest, wanted_by) = levels.entry(name).or_insert((level, Vec::new()));
            *highest = level.max(*highest);
            if !wanted_by.contains(&component.name.as_str()) {
                wanted_by.push(&component.name);
            }
        }
    }
    levels
}

fn namespace(desired: &Desired, name: &str, level: PodSecurity, wanted_by: &[&str]) -> Step {
    let work = Work::Namespace(Namespace { name: name.to_owned(), pod_security: level });
    let level = match level {
        PodSecurity::Restricted => "restricted",
        PodSecurity::Baseline => "baseline",
        PodSecurity::Privileged => "privileged",
    };
    let reason = format!("needed by {}, with pod security {level}", wanted_by.join(" and "));
    step(ids::namespace(name), work, reason).needing([ids::kubeconfig(desired.name.as_str())])
}

impl Base<'_> {
    /// The release of a component, then its objects.
    pub(super) fn component(&self, component: &ResolvedComponent, further: &[StepId]) -> Vec<Step> {
        let mut steps = vec![self.release(component).needing(further.iter().cloned())];
        if !component.objects.is_empty() {
            let (objects, health) = (&component.objects, &component.objects_health);
            let before = ids::release(&component.name);
            steps.push(self.objects(component, (ids::objects(&component.name), before), objects, health));
        }
        for stage in &component.stages {
            let before = steps.last().map_or_else(|| ids::release(&component.name), |step| step.id.clone());
            let id = ids::objects(&ids::staged(component, &stage.name));
            steps.push(self.objects(component, (id, before), &stage.objects, &stage.health));
        }
        steps
    }

    /// The last step of a component by name, if it is on.
    pub(super) fn end(&self, component: &str) -> Option<StepId> {
        self.ends.get(component).cloned()
    }

    pub(super) fn join(&self) -> StepId {
        self.join.clone()
    }

    /// Steps that take away what the site no longer wants.
    pub(super) fn leaving(&self) -> impl Iterator<Item = StepId> {
        self.leaving.iter().map(|(id, _)| id.clone())
    }

    fn makes_room_for(&self, waiting: &StepId) -> Option<StepId> {
        self.leaving.iter().find(|(_, room)| room.as_ref() == Some(waiting)).map(|(id, _)| id.clone())
    }

    fn release(&self, component: &ResolvedComponent) -> Step {
        let mut release = component.release.clone();
        release.health = self.fill(&release.health);
        let mut reason = format!("{}: {}", component.title, component.reason);
        if let Some(line) = &release.meaning_of {
            reason += &format!("; {line} is {}", release.version);
        }
        let needed = component.needs.iter().filter_map(|name| self.end(name));
        let work = Work::HelmRelease(HelmRelease { release: Box::new(release), stage: component.stage });
        step(ids::release(&component.name), work, reason)
            .needing([self.join()])
            .needing(self.prepared(component))
            .needing(needed)
            .needing(self.makes_room_for(&ids::release(&component.name)))
    }

    fn objects(
        &self,
        component: &ResolvedComponent,
        (id, before): (StepId, StepId),
        objects: &[Value],
        health: &[Health],
    ) -> Step {
        let work = Work::KubeObjects(KubeObjects {
            component: component.name.clone(),
            objects: objects.to_vec(),
            health: self.fill(health),
            timeout_s: component.release.timeout_s,
            stage: component.stage,
            upgrade_path: component
                .release
                .upgrade_path
                .clone()
                .filter(|upgrade_path| objects.iter().any(|object| is(object, &upgrade_path.object))),
        });
        let reason = format!("creates what {} needs to do anything: {}", component.title, kinds(objects));
        let room = self.makes_room_for(&id);
        step(id, work, reason).needing([before]).needing(self.prepared(component)).needing(room)
    }

    /// Namespaces and secrets of all namespaces that a component uses.
    fn prepared(&self, component: &ResolvedComponent) -> Vec<StepId> {
        let further = component.namespaces.iter().map(|(name, _)| name);
        let names = std::iter::once(&component.namespace).chain(further);
        names.filter_map(|name| self.by_namespace.get(name)).flatten().cloned().collect()
    }

    /// Health rules about GPU nodes learn their names here.
    fn fill(&self, health: &[Health]) -> Vec<Health> {
        let fill = |rule: &Health| match rule {
            Health::Allocatable { resource, .. } => {
                Health::Allocatable { resource: resource.clone(), nodes: self.gpu.clone() }
            }
            other => other.clone(),
        };
        health.iter().map(fill).collect()
    }
}

fn is(manifest: &Value, name: &ObjectName) -> bool {
    ObjectName::of(manifest).as_ref() == Some(name)
}

fn kinds(objects: &[Value]) -> String {
    let mut kinds: Vec<&str> = objects.iter().filter_map(|o| o.get("kind")?.as_str()).collect();
    kinds.dedup();
    kinds.join(", ")
}
