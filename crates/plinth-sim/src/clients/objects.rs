//! Objects of any kind in the simulated cluster.

use super::Call;
use super::kube::{SimKube, call};
use super::manifest::Manifest;
use super::model::{Role, admits, works};
use crate::data_centre::later;
use crate::timing;
use crate::world::{Effect, State};
use async_trait::async_trait;
use plinth_model::steps::PodSecurity;
use plinth_model::{ObjectName, ReleaseName, Version};
use plinth_world::kube::{KubeContent, KubeObjects, NodePort};
use plinth_world::{ClientResult, Context};
use serde_json::Value;

fn has(state: &State, object: &ObjectName) -> bool {
    state.cluster.objects.contains_key(&Manifest::named(object).key())
}

/// Whether an operator refuses this version behind that one: Knative's goes by one minor at a time, up or down, and tells only in the status
/// of the object that it did nothing (its source, "not supported to upgrade or downgrade across multiple MINOR versions").
fn goes_too_far(served_by: Option<Role>, there: Option<&Version>, wanted: Option<&Version>) -> bool {
    let (Some(there), Some(wanted), Some(Role::Knative)) = (there, wanted, served_by) else { return false };
    let (from, to) = (there.semver(), wanted.semver());
    from.major != to.major || from.minor.abs_diff(to.minor) > 1
}

#[async_trait]
impl KubeObjects for SimKube {
    async fn diff(&self, _: &Context, objects: &[Value]) -> ClientResult<Vec<String>> {
        let call = call("comparing objects");
        self.request(&call).await?;
        let manifests = self.manifests(&call, objects)?;
        self.centre.look(|state, _| {
            let difference = |manifest: &Manifest| match state.cluster.objects.get(&manifest.key()) {
                Some(object) if object.digest == manifest.digest => None,
                Some(_) => Some(format!("~ {}", manifest.title())),
                None => Some(format!("+ {}", manifest.title())),
            };
            manifests.iter().filter_map(difference).collect()
        })
    }

    async fn apply(&self, _: &Context, objects: &[Value]) -> ClientResult<()> {
        let call = call("applying objects");
        self.request(&call).await?;
        for (manifest, object) in self.manifests(&call, objects)?.into_iter().zip(objects) {
            self.apply_one(&call, &manifest, object).await?;
        }
        Ok(())
    }

    async fn version(&self, _: &Context, object: &ObjectName) -> ClientResult<Option<Version>> {
        let call = call("reading the version of an object");
        self.request(&call).await?;
        if !self.serves(&call, object)? {
            return Ok(None);
        }
        let key = Manifest::named(object).key();
        self.centre.look(|state, now| state.cluster.objects.get(&key).and_then(|object| object.told(now)).cloned())
    }

    async fn present(&self, _: &Context, objects: &[ObjectName]) -> ClientResult<Vec<ObjectName>> {
        let call = call("looking for objects");
        self.request(&call).await?;
        let mut present = Vec::new();
        for object in objects {
            if self.serves(&call, object)? && self.centre.look(|state, _| has(state, object))? {
                present.push(object.clone());
            }
        }
        Ok(present)
    }

    async fn remove(&self, ctx: &Context, objects: &[ObjectName]) -> ClientResult<()> {
        for object in self.present(ctx, objects).await? {
            self.centre.effect(Effect::ObjectRemoved { key: Manifest::named(&object).key() })?;
        }
        Ok(())
    }
}

/// A rehearsal's cluster holds nothing but what plinth made: nothing of somebody else's is in the way.
#[async_trait]
impl KubeContent for SimKube {
    async fn further_kinds(&self, _: &Context) -> ClientResult<Vec<String>> {
        self.request(&call("listing kinds")).await?;
        Ok(Vec::new())
    }

    async fn owners(&self, _: &Context, _: &[ObjectName]) -> ClientResult<Vec<(ObjectName, Option<ReleaseName>)>> {
        self.request(&call("looking whose objects are")).await?;
        Ok(Vec::new())
    }

    async fn node_ports(&self, _: &Context) -> ClientResult<Vec<NodePort>> {
        self.request(&call("listing services")).await?;
        Ok(Vec::new())
    }
}

impl SimKube {
    /// Whether the API server knows the kind of an object.
    fn serves(&self, call: &Call, object: &ObjectName) -> ClientResult<bool> {
        match Manifest::named(object).served_by(call) {
            Ok(Some(role)) => self.centre.look(|state, now| works(state, role, now)),
            Ok(None) => Ok(true),
            Err(_) => Ok(false),
        }
    }

    /// Reads manifests, refusing kinds that the API server does not know.
    fn manifests(&self, call: &Call, objects: &[Value]) -> ClientResult<Vec<Manifest>> {
        let read: Vec<Manifest> =
            objects.iter().map(|object| Manifest::read(call, object)).collect::<ClientResult<_>>()?;
        for manifest in &read {
            if let Some(role) = manifest.served_by(call)?
                && !self.centre.look(|state, now| works(state, role, now))?
            {
                return Err(manifest.unknown_kind(call));
            }
        }
        Ok(read)
    }

    async fn apply_one(&self, call: &Call, manifest: &Manifest, object: &Value) -> ClientResult<()> {
        if manifest.kind == "Namespace" {
            let label = object.pointer("/metadata/labels/pod-security.kubernetes.io~1enforce").cloned();
            let level = label.and_then(|level| serde_json::from_value(level).ok()).unwrap_or(PodSecurity::Privileged);
            let changed = self.centre.look(|state, _| state.cluster.namespaces.get(&manifest.name) != Some(&level))?;
            if changed {
                self.centre.effect(Effect::NamespaceMade { name: manifest.name.clone(), level })?;
            }
        } else if !manifest.namespace.is_empty() {
            self.request_in(call, &manifest.namespace).await?;
        }
        let key = manifest.key();
        let (same, admitted) = self.centre.look(|state, _| {
            let same = state.cluster.objects.get(&key).is_some_and(|there| there.digest == manifest.digest);
            let level = state.cluster.namespaces.get(&manifest.namespace).copied();
            (same, manifest.kind != "Pod" || admits(level, PodSecurity::Baseline))
        })?;
        if !admitted {
            return Err(call.fails(
                format!("{} violates PodSecurity \"restricted\"", manifest.title()),
                "give the namespace the level its pods need",
            ));
        }
        if same {
            return Ok(());
        }
        let settles = self.centre.timing.around("object", &key, timing::OBJECT_SETTLES);
        let settled_at = later(self.centre.now(), settles);
        let version = object.pointer("/spec/version").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let refused = self.centre.look(|state, now| {
            let there = state.cluster.objects.get(&key).and_then(|object| object.told(now));
            goes_too_far(manifest.served_by(call).ok().flatten(), there, version.as_ref())
        })?;
        let digest = manifest.digest.clone();
        self.centre.effect(Effect::ObjectApplied { key, digest, settled_at, version, refused })
    }
}
