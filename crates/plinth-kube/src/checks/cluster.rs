//! What the API server itself says: of the nodes, of its own health, and what the metrics API knows.

use super::seen;
use crate::api::{Call, KubeApi};
use http::Request;
use plinth_model::{NodeName, amount};
use plinth_world::kube::{CheckSeen, KubeNodes as _, KubeSystem as _};
use plinth_world::{ClientResult, Context};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Names told at most; more are counted.
const TOLD: usize = 20;
/// Nodes whose use the metrics API knows.
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1/nodes";

/// Each node is known and Ready.
pub(super) async fn nodes(api: &KubeApi, ctx: &Context, wanted: &[NodeName]) -> ClientResult<CheckSeen> {
    let known = api.nodes(ctx).await?;
    let unfit = |name: &NodeName| match known.get(name.as_str()) {
        None => Some(format!("{name}: Kubernetes does not know it")),
        Some(node) if !node.ready => Some(format!("{name}: not Ready")),
        Some(_) => None,
    };
    let unfit: Vec<String> = wanted.iter().filter_map(unfit).collect();
    let counted = format!("{} of {} Ready", wanted.len() - unfit.len(), amount(wanted.len(), "node"));
    let versions: BTreeSet<&str> = known.values().map(|node| node.version.as_str()).collect();
    let versions = format!("kubelet {}", versions.into_iter().collect::<Vec<_>>().join(", "));
    Ok(seen(unfit.is_empty(), [counted, versions].into_iter().chain(first(unfit))))
}

/// The first of them, and how many more there are.
pub(super) fn first(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > TOLD {
        let more = lines.len() - TOLD;
        lines.truncate(TOLD);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// The API server's own checks hold, and every workload of kube-system has its pods.
pub(super) async fn system(api: &KubeApi, ctx: &Context) -> ClientResult<CheckSeen> {
    let health = api.cluster_health(ctx).await?;
    let failing = health.failing.iter().map(|check| format!("the API server says that {check} fails"));
    let short = health.workloads.iter().filter(|one| one.ready < one.wanted);
    let short = short.map(|one| format!("{} {}: {}/{} pods ready", one.kind, one.name, one.ready, one.wanted));
    let wrong: Vec<String> = failing.chain(short).collect();
    let pods: u32 = health.workloads.iter().map(|one| one.ready).sum();
    let workloads = amount(health.workloads.len(), "workload");
    let counted = format!("{workloads} of kube-system with {} ready", amount(pods as usize, "pod"));
    Ok(seen(wrong.is_empty() && !health.workloads.is_empty(), std::iter::once(counted).chain(first(wrong))))
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// The metrics API knows the use of each node.
pub(super) async fn metrics(call: &Call<'_>, wanted: &[NodeName]) -> ClientResult<CheckSeen> {
    let client = call.client();
    let ask = || async {
        let request = Request::get(METRICS).body(Vec::new()).map_err(kube::Error::HttpError)?;
        client.request::<List>(request).await
    };
    let list = match call.patiently(ask).await {
        Ok(list) => list,
        Err(failure) if failure.is_about_the_way() => return Err(call.error(failure)),
        Err(failure) => return Ok(seen(false, [format!("the metrics API gives no answer: {}", failure.happened)])),
    };
    let known: BTreeSet<&str> = list.items.iter().map(|item| item.metadata.name.as_str()).collect();
    let missing = wanted.iter().filter(|node| !known.contains(node.as_str()));
    let missing: Vec<String> = missing.map(|node| format!("{node}: no metrics")).collect();
    let counted = format!("metrics of {} of {}", wanted.len() - missing.len(), amount(wanted.len(), "node"));
    Ok(seen(missing.is_empty(), std::iter::once(counted).chain(first(missing))))
}
