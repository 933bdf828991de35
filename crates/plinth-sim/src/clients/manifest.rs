//! Manifests as the simulated API server reads them.

use super::Call;
use super::model::Role;
use plinth_model::{Digest, ObjectName};
use plinth_world::{ClientError, ClientResult};
use serde_json::Value;

/// API groups of Kubernetes itself.
const BUILT_IN: [&str; 13] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Namespaces that every cluster has.
pub(super) const OWN_NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// What identifies an object.
pub(super) struct Manifest {
    pub(super) kind: String,
    pub(super) group: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) digest: Digest,
}

impl Manifest {
    pub(super) fn read(call: &Call, value: &Value) -> ClientResult<Self> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        if version.is_empty() || kind.is_empty() || name.is_empty() {
            return Err(call.fails("an object lacks apiVersion, kind or metadata.name", "complete the manifest"));
        }
        let group = version.split_once('/').map_or("", |(group, _)| group).to_owned();
        Ok(Self { kind, group, namespace: text("/metadata/namespace"), name, digest: Digest::of(value) })
    }

    /// Of an object that is known by name only.
    pub(super) fn named(object: &ObjectName) -> Self {
        let ObjectName { api_version, kind, namespace, name } = object.clone();
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        Self { kind, group, namespace, name, digest: Digest::of_bytes(b"") }
    }

    /// `knativeservings.operator.knative.dev`; the plain plural for objects of the core group.
    pub(super) fn resource(&self) -> String {
        let lower = self.kind.to_lowercase();
        let plural = match lower.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
            _ if lower.ends_with(['s', 'x']) => format!("{lower}es"),
            _ => format!("{lower}s"),
        };
        if self.group.is_empty() { plural } else { format!("{plural}.{}", self.group) }
    }

    pub(super) fn key(&self) -> String {
        key(&self.resource(), &self.namespace, &self.name)
    }

    /// Who must be there for the API server to know the kind.
    pub(super) fn served_by(&self, call: &Call) -> ClientResult<Option<Role>> {
        if BUILT_IN.contains(&self.group.as_str()) {
            return Ok(None);
        }
        Role::serving(&self.group).map(Some).ok_or_else(|| self.unknown_kind(call))
    }

    pub(super) fn unknown_kind(&self, call: &Call) -> ClientError {
        call.fails(
            format!("no matches for kind {} in group {}", self.kind, self.group),
            "install the component that brings this kind first",
        )
    }

    /// `KnativeServing knative-serving/knative-serving`.
    pub(super) fn title(&self) -> String {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        format!("{} {}{slash}{}", self.kind, self.namespace, self.name)
    }
}

/// Key of an object in the world.
pub(super) fn key(resource: &str, namespace: &str, name: &str) -> String {
    format!("{resource}/{namespace}/{name}")
}
