//! Pods of the GPU operator's toolkit: each writes NVIDIA's runtime into containerd's settings of its node when it starts.
//!
//! Source of the label: the operator's own manifest of the DaemonSet `nvidia-container-toolkit-daemonset`. Not covered: a toolkit that
//! is part of the node's image; no pod stands for it.

use crate::api::KubeApi;
use crate::failure::Cause;
use async_trait::async_trait;
use indexmap::IndexMap;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams};
use plinth_world::kube::KubeToolkits;
use plinth_world::kube::ToolkitPod;
use plinth_world::{ClientResult, Context};

const TOOLKIT: &str = "app=nvidia-container-toolkit-daemonset";

#[async_trait]
impl KubeToolkits for KubeApi {
    async fn toolkits(&self, ctx: &Context) -> ClientResult<IndexMap<String, ToolkitPod>> {
        let call = self.call(ctx, "listing the pods of the GPU operator's toolkit").await?;
        let pods = Api::<Pod>::all(call.client());
        let wanted = ListParams::default().labels(TOOLKIT);
        let list = call.read(|| pods.list(&wanted)).await?;
        Ok(list.items.into_iter().filter_map(placed).collect())
    }

    /// One that is gone already is well ended.
    async fn end_pod(&self, ctx: &Context, pod: &ToolkitPod) -> ClientResult<()> {
        let call = self.call(ctx, format!("ending pod {} in {}", pod.name, pod.namespace)).await?;
        let (pods, params) = (Api::<Pod>::namespaced(call.client(), &pod.namespace), DeleteParams::default());
        match call.attempt(|| pods.delete(&pod.name, &params)).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.cause == Cause::NotFound => Ok(()),
            Err(failure) => Err(call.error(failure)),
        }
    }
}

/// By its node; one that no node was found for counts as none, and so does one that is on its way out.
fn placed(pod: Pod) -> Option<(String, ToolkitPod)> {
    let node = pod.spec?.node_name?;
    let metadata = pod.metadata;
    let leaves = metadata.deletion_timestamp.is_some();
    let found = ToolkitPod { namespace: metadata.namespace?, name: metadata.name? };
    (!leaves).then_some((node, found))
}
