//! Nodes as Kubernetes knows them, their labels and taints.
//!
//! Labels are applied server side with our own field owner, so a changed one is set back, one that the site dropped goes, and
//! everybody else's stay. Which ones are ours, the API server itself writes down with every object.

use crate::api::{Call, KubeApi, OWNER};
use crate::taint;
use async_trait::async_trait;
use indexmap::IndexMap;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ListParams, Patch, PatchParams};
use plinth_model::NodeName;
use plinth_world::kube::{KubeNode, KubeNodes};
use plinth_world::{ClientResult, Context};
use serde_json::json;
use std::collections::BTreeSet;

/// Nodes of one page of a list: some 20 KiB each.
const PAGE: u32 = 250;

#[async_trait]
impl KubeNodes for KubeApi {
    async fn node(&self, ctx: &Context, node: &NodeName) -> ClientResult<Option<KubeNode>> {
        let call = self.call(ctx, format!("looking at node {node}")).await?;
        let nodes = Api::<Node>::all(call.client());
        Ok(call.read(|| nodes.get_opt(node.as_str())).await?.as_ref().map(seen))
    }

    /// Page by page, so that a list of thousands stays small.
    async fn nodes(&self, ctx: &Context) -> ClientResult<IndexMap<String, KubeNode>> {
        let call = self.call(ctx, "listing nodes").await?;
        let all = Api::<Node>::all(call.client());
        let mut nodes = IndexMap::new();
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let list = call.read(|| all.list(&page)).await?;
            nodes.extend(list.items.iter().map(|node| (node.metadata.name.clone().unwrap_or_default(), seen(node))));
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = ListParams::default().limit(PAGE).continue_token(&token),
                None => return Ok(nodes),
            }
        }
    }

    async fn label_node(
        &self,
        ctx: &Context,
        node: &NodeName,
        labels: &IndexMap<String, String>,
        taints: &[String],
    ) -> ClientResult<()> {
        let call = self.call(ctx, format!("labelling node {node}")).await?;
        let found = find(&call, node).await?;
        // The uid keeps a node that goes away in this moment from being made again by us.
        let object = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node.as_str(), "uid": found.metadata.uid, "labels": labels},
        });
        let (params, patch) = (PatchParams::apply(OWNER).force(), Patch::Apply(&object));
        let nodes = Api::<Node>::all(call.client());
        call.write(|| nodes.patch_metadata(node.as_str(), &params, &patch)).await?;
        taint::set(&call, node, taints).await
    }
}

async fn find(call: &Call<'_>, node: &NodeName) -> ClientResult<Node> {
    let nodes = Api::<Node>::all(call.client());
    let found = call.read(|| nodes.get_opt(node.as_str())).await?;
    found.ok_or_else(|| {
        call.fails(format!("Kubernetes does not know node {node}"), "deploy Kubernetes on the node first")
    })
}

fn seen(node: &Node) -> KubeNode {
    let status = node.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_ref());
    let addresses = status.and_then(|status| status.addresses.as_ref());
    let internal = addresses
        .and_then(|all| all.iter().find_map(|one| (one.type_ == "InternalIP").then(|| one.address.parse().ok())?));
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    KubeNode {
        ready: conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True")),
        version: status
            .and_then(|status| status.node_info.as_ref())
            .map(|info| info.kubelet_version.clone())
            .unwrap_or_default(),
        labels: node.metadata.labels.clone().unwrap_or_default().into_iter().collect(),
        taints: taints.map(|taints| taints.iter().map(taint::text).collect()).unwrap_or_default(),
        address: internal,
        own_labels: own_labels(node),
        own_taints: taint::own(node),
    }
}

/// Keys of labels that were applied by us, as the API server keeps them: `f:metadata` → `f:labels` → `f:KEY`.
fn own_labels(node: &Node) -> BTreeSet<String> {
    let entries = node.metadata.managed_fields.iter().flatten();
    let ours =
        entries.filter(|entry| entry.manager.as_deref() == Some(OWNER) && entry.operation.as_deref() == Some("Apply"));
    let labels = ours.filter_map(|entry| entry.fields_v1.as_ref()?.0.pointer("/f:metadata/f:labels")?.as_object());
    labels.flat_map(|labels| labels.keys()).filter_map(|field| field.strip_prefix("f:")).map(str::to_owned).collect()
}
