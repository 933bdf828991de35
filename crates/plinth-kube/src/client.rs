//! The client's calls; what they do is beside this, one file per noun.

use crate::api::KubeApi;
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::finding::code;
use plinth_model::steps::{Check, Health, NodeTarget, PodSecurity, SecretContent};
use plinth_model::{Finding, NodeName, Observed, Owner};
use plinth_world::kube::{ClusterHealth, HealthState, HeldConfig, KubeClient, KubeNode, ToolkitPod};
use plinth_world::{ClientError, ClientResult, Context};
use serde_json::Value;
use std::net::Ipv4Addr;

#[async_trait]
impl KubeClient for KubeApi {
    async fn kubeconfig(&self, ctx: &Context) -> ClientResult<Observed<HeldConfig>> {
        self.try_held(ctx).await
    }

    async fn fetch_kubeconfig(&self, ctx: &Context, from: &NodeTarget, server: &str) -> ClientResult<()> {
        self.fetch(ctx, from, server).await
    }

    async fn node(&self, ctx: &Context, node: &NodeName) -> ClientResult<Observed<KubeNode>> {
        Ok(self.one_node(ctx, node).await?.map_or(Observed::Absent, Observed::Known))
    }

    async fn nodes(&self, ctx: &Context) -> ClientResult<IndexMap<String, KubeNode>> {
        self.all_nodes(ctx).await
    }

    async fn label_node(
        &self,
        ctx: &Context,
        node: &NodeName,
        labels: &IndexMap<String, String>,
        taints: &[String],
    ) -> ClientResult<()> {
        self.set_labels(ctx, node, labels, taints).await
    }

    async fn cluster_health(&self, ctx: &Context) -> ClientResult<ClusterHealth> {
        self.system(ctx).await
    }

    async fn redirect_joins(&self, ctx: &Context, away: &[NodeTarget], server: &str) -> ClientResult<bool> {
        self.redirect_joins(ctx, away, server).await
    }

    async fn toolkits(&self, ctx: &Context) -> ClientResult<IndexMap<String, ToolkitPod>> {
        self.toolkit_pods(ctx).await
    }

    async fn end_pod(&self, ctx: &Context, pod: &ToolkitPod) -> ClientResult<()> {
        self.delete_pod(ctx, pod).await
    }

    async fn namespace(&self, ctx: &Context, name: &str) -> ClientResult<Observed<Option<PodSecurity>>> {
        self.level(ctx, name).await
    }

    async fn make_namespace(&self, ctx: &Context, name: &str, level: PodSecurity) -> ClientResult<()> {
        self.put_namespace(ctx, name, level).await
    }

    async fn secret_matches(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<Observed<bool>> {
        self.same_secret(ctx, (namespace, name), content, labels).await
    }

    async fn make_secret(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<()> {
        self.put_secret(ctx, (namespace, name), content, labels).await
    }

    async fn diff(&self, ctx: &Context, objects: &[Value]) -> ClientResult<Vec<String>> {
        self.differences(ctx, objects).await
    }

    async fn apply(&self, ctx: &Context, objects: &[Value]) -> ClientResult<()> {
        self.put_objects(ctx, objects).await
    }

    async fn health(&self, ctx: &Context, namespace: &str, health: &Health) -> ClientResult<HealthState> {
        self.health_of(ctx, namespace, health).await
    }

    async fn resolve_in_pod(&self, ctx: &Context, name: &str) -> ClientResult<Vec<Ipv4Addr>> {
        self.resolve(ctx, name).await
    }

    async fn add_dns(&self, ctx: &Context, name: &str, address: Ipv4Addr) -> ClientResult<()> {
        self.add_name(ctx, name, address).await
    }

    /// Names can be checked; what needs a pod with an image, helm or Run:ai is refused.
    async fn run_check(&self, ctx: &Context, check: &Check) -> ClientResult<HealthState> {
        let Check::Dns { name, address } = check else { return Err(not_here(check)) };
        let found = self.resolve(ctx, name).await?;
        let words: Vec<String> = found.iter().map(Ipv4Addr::to_string).collect();
        let seen =
            if found.is_empty() { format!("{name}: no such host") } else { format!("{name} is {}", words.join(", ")) };
        Ok(HealthState { holds: found == [*address], seen })
    }
}

fn not_here(check: &Check) -> ClientError {
    let happened = format!("this release cannot carry out the check {}; nothing was done", check.name());
    let attempt = "everything before this point is done and recorded: a release with this check goes on from here";
    let finding = Finding::error(code::PLINTH_NOT_IN_THIS_RELEASE, "kubernetes", happened.clone())
        .owner(Owner::Vendor)
        .fix(attempt);
    ClientError::permanent("kube", format!("checking {}", check.name()), happened, attempt).finding(finding)
}
