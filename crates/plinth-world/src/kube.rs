//! The Kubernetes door. The real door is not in this release.

use crate::{Context, DoorResult};
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::work::{Check, Health, NodeTarget, PodSecurity, SecretContent};
use plinth_model::{NodeName, Observed};
use serde_json::Value;
use std::net::Ipv4Addr;

/// A node as Kubernetes sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeNode {
    /// Condition Ready.
    pub ready: bool,
    /// kubelet version, with `v`.
    pub version: String,
    /// Labels.
    pub labels: IndexMap<String, String>,
    /// Taints, `key=value:Effect`.
    pub taints: Vec<String>,
}

/// Health of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthState {
    /// Whether it holds.
    pub holds: bool,
    /// What was seen.
    pub seen: String,
}

/// Kubernetes.
#[async_trait]
pub trait KubeDoor: Send + Sync {
    /// Server address of the kubeconfig we hold, if we hold one and it works.
    async fn kubeconfig(&self, ctx: &Context) -> DoorResult<Observed<String>>;
    /// Fetches the kubeconfig from a control-plane node and sets its server address.
    async fn fetch_kubeconfig(&self, ctx: &Context, from: &NodeTarget, server: &str) -> DoorResult<()>;
    /// The node, if Kubernetes knows it.
    async fn node(&self, ctx: &Context, node: &NodeName) -> DoorResult<Observed<KubeNode>>;
    /// Adds labels and taints; leaves others alone.
    async fn label_node(
        &self,
        ctx: &Context,
        node: &NodeName,
        labels: &IndexMap<String, String>,
        taints: &[String],
    ) -> DoorResult<()>;
    /// Pod Security level (enforce) of the namespace, if it exists.
    async fn namespace(&self, ctx: &Context, name: &str) -> DoorResult<Observed<Option<PodSecurity>>>;
    /// Makes the namespace with its level.
    async fn make_namespace(&self, ctx: &Context, name: &str, level: PodSecurity) -> DoorResult<()>;
    /// Whether the secret exists with exactly this content and these labels. The content is compared inside the door.
    async fn secret_matches(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> DoorResult<Observed<bool>>;
    /// Makes or replaces the secret.
    async fn make_secret(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> DoorResult<()>;
    /// Differences between manifests and the live objects (server-side dry run); empty when equal.
    async fn diff(&self, ctx: &Context, objects: &[Value]) -> DoorResult<Vec<String>>;
    /// Applies manifests, server side.
    async fn apply(&self, ctx: &Context, objects: &[Value]) -> DoorResult<()>;
    /// Health of one thing.
    async fn health(&self, ctx: &Context, namespace: &str, health: &Health) -> DoorResult<HealthState>;
    /// Addresses a pod gets for a name; empty when it does not resolve.
    async fn resolve_in_pod(&self, ctx: &Context, name: &str) -> DoorResult<Vec<Ipv4Addr>>;
    /// Puts a name into the cluster's DNS, marked as ours. Second choice after the engine's own setting.
    async fn add_dns(&self, ctx: &Context, name: &str, address: Ipv4Addr) -> DoorResult<()>;
    /// Carries out the part of an acceptance check that happens inside the cluster, and says what was seen. The test objects
    /// are removed again. `Err` only when it could not be carried out.
    async fn run_check(&self, ctx: &Context, check: &Check) -> DoorResult<HealthState>;
}
