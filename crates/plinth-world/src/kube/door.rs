//! The door's calls; what they do is beside this, one file per noun.

use super::api::KubeApi;
use super::{ClusterHealth, HealthState, HeldConfig, KubeDoor, KubeNode, ToolkitPod};
use crate::{Context, DoorError, DoorResult};
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::work::{Check, Health, NodeTarget, PodSecurity, SecretContent};
use plinth_model::{Finding, NodeName, Observed, Owner};
use serde_json::Value;
use std::net::Ipv4Addr;

#[async_trait]
impl KubeDoor for KubeApi {
    async fn kubeconfig(&self, ctx: &Context) -> DoorResult<Observed<HeldConfig>> {
        self.try_held(ctx).await
    }

    async fn fetch_kubeconfig(&self, ctx: &Context, from: &NodeTarget, server: &str) -> DoorResult<()> {
        self.fetch(ctx, from, server).await
    }

    async fn node(&self, ctx: &Context, node: &NodeName) -> DoorResult<Observed<KubeNode>> {
        Ok(self.one_node(ctx, node).await?.map_or(Observed::Absent, Observed::Known))
    }

    async fn nodes(&self, ctx: &Context) -> DoorResult<IndexMap<String, KubeNode>> {
        self.all_nodes(ctx).await
    }

    async fn label_node(
        &self,
        ctx: &Context,
        node: &NodeName,
        labels: &IndexMap<String, String>,
        taints: &[String],
    ) -> DoorResult<()> {
        self.set_labels(ctx, node, labels, taints).await
    }

    async fn cluster_health(&self, ctx: &Context) -> DoorResult<ClusterHealth> {
        self.system(ctx).await
    }

    async fn lead_joins(&self, ctx: &Context, away: &[NodeTarget], server: &str) -> DoorResult<bool> {
        self.redirect_joins(ctx, away, server).await
    }

    async fn toolkits(&self, ctx: &Context) -> DoorResult<IndexMap<String, ToolkitPod>> {
        self.toolkit_pods(ctx).await
    }

    async fn end_pod(&self, ctx: &Context, pod: &ToolkitPod) -> DoorResult<()> {
        self.delete_pod(ctx, pod).await
    }

    async fn namespace(&self, ctx: &Context, name: &str) -> DoorResult<Observed<Option<PodSecurity>>> {
        self.level(ctx, name).await
    }

    async fn make_namespace(&self, ctx: &Context, name: &str, level: PodSecurity) -> DoorResult<()> {
        self.put_namespace(ctx, name, level).await
    }

    async fn secret_matches(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> DoorResult<Observed<bool>> {
        self.same_secret(ctx, (namespace, name), content, labels).await
    }

    async fn make_secret(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> DoorResult<()> {
        self.put_secret(ctx, (namespace, name), content, labels).await
    }

    async fn diff(&self, ctx: &Context, objects: &[Value]) -> DoorResult<Vec<String>> {
        self.differences(ctx, objects).await
    }

    async fn apply(&self, ctx: &Context, objects: &[Value]) -> DoorResult<()> {
        self.put_objects(ctx, objects).await
    }

    async fn health(&self, ctx: &Context, namespace: &str, health: &Health) -> DoorResult<HealthState> {
        self.health_of(ctx, namespace, health).await
    }

    async fn resolve_in_pod(&self, ctx: &Context, name: &str) -> DoorResult<Vec<Ipv4Addr>> {
        self.resolve(ctx, name).await
    }

    async fn add_dns(&self, ctx: &Context, name: &str, address: Ipv4Addr) -> DoorResult<()> {
        self.add_name(ctx, name, address).await
    }

    /// Names can be checked; what needs a pod with an image, helm or Run:ai is refused.
    async fn run_check(&self, ctx: &Context, check: &Check) -> DoorResult<HealthState> {
        let Check::Dns { name, address } = check else { return Err(not_here(check)) };
        let found = self.resolve(ctx, name).await?;
        let words: Vec<String> = found.iter().map(Ipv4Addr::to_string).collect();
        let seen =
            if found.is_empty() { format!("{name}: no such host") } else { format!("{name} is {}", words.join(", ")) };
        Ok(HealthState { holds: found == [*address], seen })
    }
}

fn not_here(check: &Check) -> DoorError {
    let happened = format!("this release cannot carry out the check {}; nothing was done", check.name());
    let attempt = "everything before this point is done and recorded: a release with this check goes on from here";
    let finding =
        Finding::error("plinth.door-absent", "kubernetes", happened.clone()).owner(Owner::Vendor).fix(attempt);
    DoorError::permanent("kube", format!("checking {}", check.name()), happened, attempt).finding(finding)
}
