//! Nodes as Kubernetes knows them, their labels and taints.
//!
//! Labels are applied server side with our own field owner, so a changed one is set back, one that the site dropped goes, and
//! everybody else's stay. Taints are one list without owners: it is read, changed and written back only if nobody changed it
//! meanwhile.

use crate::api::{Call, KubeApi, OWNER};
use crate::failure::Cause;
use async_trait::async_trait;
use indexmap::IndexMap;
use k8s_openapi::api::core::v1::{Node, Taint};
use kube::api::{Api, ListParams, Patch, PatchParams};
use plinth_model::NodeName;
use plinth_world::kube::{KubeNode, KubeNodes};
use plinth_world::{ClientResult, Context};
use serde_json::json;

/// Nodes of one page of a list: some 20 KiB each.
const PAGE: u32 = 250;
/// Tries to change a list of taints that others change too; kubelet and controllers touch it when a node changes its state.
const TAINT_TRIES: u32 = 5;

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
        // The uid keeps a node that goes away in this moment from being made anew by us.
        let object = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node.as_str(), "uid": found.metadata.uid, "labels": labels},
        });
        let (params, patch) = (PatchParams::apply(OWNER).force(), Patch::Apply(&object));
        let nodes = Api::<Node>::all(call.client());
        call.write(|| nodes.patch_metadata(node.as_str(), &params, &patch)).await?;
        set_taints(&call, node, taints).await
    }
}

async fn find(call: &Call<'_>, node: &NodeName) -> ClientResult<Node> {
    let nodes = Api::<Node>::all(call.client());
    let found = call.read(|| nodes.get_opt(node.as_str())).await?;
    found.ok_or_else(|| {
        call.fails(format!("Kubernetes does not know node {node}"), "deploy Kubernetes on the node first")
    })
}

async fn set_taints(call: &Call<'_>, node: &NodeName, wanted: &[String]) -> ClientResult<()> {
    let mut left = TAINT_TRIES;
    loop {
        let found = find(call, node).await?;
        let present = found.spec.and_then(|spec| spec.taints).unwrap_or_default();
        let Some(taints) = with(&present, wanted) else { return Ok(()) };
        let patch = json!({
            "metadata": {"resourceVersion": found.metadata.resource_version},
            "spec": {"taints": taints},
        });
        let patch = Patch::Merge(&patch);
        let (nodes, params) = (
            Api::<Node>::all(call.client()),
            PatchParams { field_manager: Some(OWNER.to_owned()), ..PatchParams::default() },
        );
        match call.attempt(|| nodes.patch(node.as_str(), &params, &patch)).await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.cause == Cause::Conflict && left > 1 => left -= 1,
            Err(failure) => return Err(call.error(failure)),
        }
    }
}

/// The list with the wanted taints in it; none when they are all there. A taint is known by key and effect.
fn with(present: &[Taint], wanted: &[String]) -> Option<Vec<Taint>> {
    let mut taints = present.to_vec();
    for taint in wanted.iter().map(|text| parse(text)) {
        taints.retain(|known| known.key != taint.key || known.effect != taint.effect || value(known) == value(&taint));
        if !taints.iter().any(|known| known.key == taint.key && known.effect == taint.effect) {
            taints.push(taint);
        }
    }
    (taints != present).then_some(taints)
}

/// `key=value:Effect` or `key:Effect`.
fn parse(text: &str) -> Taint {
    let (name, effect) = text.rsplit_once(':').unwrap_or((text, ""));
    let (key, value) = name.split_once('=').map_or((name, None), |(key, value)| (key, Some(value)));
    let value = value.filter(|value| !value.is_empty()).map(str::to_owned);
    Taint { key: key.to_owned(), effect: effect.to_owned(), value, time_added: None }
}

fn value(taint: &Taint) -> &str {
    taint.value.as_deref().unwrap_or_default()
}

fn text(taint: &Taint) -> String {
    let equals = if value(taint).is_empty() { "" } else { "=" };
    format!("{}{equals}{}:{}", taint.key, value(taint), taint.effect)
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
        taints: taints.map(|taints| taints.iter().map(text).collect()).unwrap_or_default(),
        address: internal,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wanted_taints_come_into_the_list_and_others_stay() {
        let present: Vec<Taint> = ["a=1:NoSchedule", "b:NoExecute"].iter().map(|t| parse(t)).collect();
        let after = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|t| (*t).to_owned()).collect();
            with(&present, &wanted).map(|taints| taints.iter().map(text).collect::<Vec<_>>())
        };
        assert_eq!(after(&[]), None);
        assert_eq!(after(&["a=1:NoSchedule", "b=:NoExecute"]), None);
        assert_eq!(after(&["a=2:NoSchedule"]).unwrap(), ["b:NoExecute", "a=2:NoSchedule"]);
        assert_eq!(after(&["a=1:NoExecute"]).unwrap(), ["a=1:NoSchedule", "b:NoExecute", "a=1:NoExecute"]);
        assert_eq!(parse("nvidia.com/gpu:NoSchedule").key, "nvidia.com/gpu");
    }
}
