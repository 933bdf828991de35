//! Acceptance checks that are made over the API server: what it says itself, and what test pods say. Each in a file of its own.

mod answers;
mod cluster;
mod exec;
mod free;
mod gpu;
mod gpu_sharing;
mod ingress;
mod measured;
mod names;
mod network;
mod pods;
mod rdma;
mod room;
mod seen;
mod snapshot;
mod storage;

pub(crate) use storage::default_classes;

use crate::api::KubeApi;
use async_trait::async_trait;
use plinth_model::steps::Check;
use plinth_world::kube::{CheckSeen, KubeChecks};
use plinth_world::{ClientError, ClientResult, Context};
use seen::seen;

#[async_trait]
impl KubeChecks for KubeApi {
    async fn run_check(&self, ctx: &Context, check: &Check) -> ClientResult<CheckSeen> {
        let call = || self.call(ctx, format!("checking {}", check.name()));
        match check {
            Check::Nodes { nodes } => cluster::nodes(self, ctx, nodes).await,
            Check::System => cluster::system(self, ctx).await,
            Check::Metrics { nodes } => cluster::metrics(&call().await?, nodes).await,
            Check::PodNetwork { nodes, asking, image } => network::check(&call().await?, nodes, asking, image).await,
            Check::GpuCapacity { nodes, replicas, resource } => {
                gpu::capacity(&call().await?, nodes, *replicas, resource).await
            }
            Check::GpuPod { node, image, resource } => gpu::pod_runs(&call().await?, node, image, resource).await,
            Check::GpuSharing { nodes, replicas, resource, image } => {
                gpu_sharing::check(&call().await?, nodes, (*replicas, resource), image).await
            }
            Check::GpuMetrics { nodes, series, monitor, pods, prometheus, port } => {
                let exporter = measured::Exporter { series, monitor, pods };
                let server = measured::Server { service: prometheus, port: *port };
                measured::check(&call().await?, nodes, &exporter, &server).await
            }
            Check::Rdma { nodes, resources, networks, image } => {
                rdma::check(&call().await?, nodes, (resources, networks), image).await
            }
            Check::DnsOut { nodes, names, image } => names::resolve(&call().await?, nodes, names, image).await,
            Check::Snapshot { image } => snapshot::check(self, &call().await?, image).await,
            Check::Dns { name, address, nodes, image } => {
                names::leads(&call().await?, nodes, (name, *address), image).await
            }
            Check::LoadBalancer { service, pool, image } => {
                answers::balanced(&call().await?, service, pool, image).await
            }
            Check::IngressController { address, port, image } => {
                answers::controller(&call().await?, *address, *port, image).await
            }
            Check::Ingress { url, address, certificate, nobody_behind } => {
                ingress::check(self, (url, *address), certificate.as_deref(), !nobody_behind).await
            }
            Check::Storage { image } => storage::check(self, &call().await?, image).await,
            // Whether there is room for it; the rest is Run:ai's to say.
            Check::RunaiWorkload { gpus, .. } => free::check(&call().await?, *gpus).await,
            Check::Runai { target, .. } => Err(ClientError::new("kube", format!("checking {}", check.name()))
                .happened(format!("Kubernetes does not know how {} finds itself", target.url))
                .attempt("this is a defect of plinth: report it")),
        }
    }
}
