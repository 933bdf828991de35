//! Values that the kinds of this area share. What proves that the platform works.

use crate::steps::RunaiTarget;
use crate::{Domain, NodeName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;

/// What a whole GPU is called among the resources of a node.
pub const WHOLE_GPU: &str = "nvidia.com/gpu";

fn whole_gpu() -> String {
    WHOLE_GPU.to_owned()
}

fn is_whole_gpu(resource: &str) -> bool {
    resource == WHOLE_GPU
}

/// Where to find an object whose kind is said elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placed {
    /// Together with `name` it finds the object.
    pub namespace: String,
    /// Unique among the objects of that kind in the namespace.
    pub name: String,
}

/// Addresses from one to another one, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressRange {
    /// The lowest.
    pub first: Ipv4Addr,
    /// The highest.
    pub last: Ipv4Addr,
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

/// An acceptance check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "check")]
pub enum Check {
    /// Kubernetes knows each of these nodes, and calls it Ready.
    Nodes {
        /// Nodes of the site.
        nodes: Vec<NodeName>,
    },
    /// The API server's own checks hold, and every workload of `kube-system` has its pods.
    System,
    /// Pods on different nodes reach each other by address and by the name of a service.
    PodNetwork {
        /// Nodes whose pods are asked.
        nodes: Vec<NodeName>,
        /// Those whose pods ask; empty: all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        asking: Vec<NodeName>,
        /// Image with a shell, `httpd` and `wget`.
        image: String,
    },
    /// The metrics API knows the use of each node.
    Metrics {
        /// Nodes of the site.
        nodes: Vec<NodeName>,
    },
    /// The nodes offer as many GPUs as their driver sees.
    GpuCapacity {
        /// GPU nodes.
        nodes: Vec<NodeName>,
        /// How often each GPU is offered: more than once with time slicing.
        replicas: u32,
        /// What pods ask for.
        #[serde(default = "whole_gpu", skip_serializing_if = "is_whole_gpu")]
        resource: String,
    },
    /// A pod with one GPU runs on this node and sees it.
    GpuPod {
        /// Where the pod has to run; it has GPUs.
        node: NodeName,
        /// Image in which the container runtime puts `nvidia-smi`.
        image: String,
        /// What it asks for.
        #[serde(default = "whole_gpu", skip_serializing_if = "is_whole_gpu")]
        resource: String,
    },
    /// GPUs are shared by time: each node offers every GPU so many times and says so in its labels, and two pods share at the same time.
    GpuSharing {
        /// GPU nodes.
        nodes: Vec<NodeName>,
        /// How often each GPU is offered.
        replicas: u32,
        /// What pods ask for; another name than [`WHOLE_GPU`] where shares are named apart from whole GPUs.
        resource: String,
        /// Image in which the container runtime puts `nvidia-smi`.
        image: String,
    },
    /// Prometheus has what the exporter measures on each node.
    GpuMetrics {
        /// GPU nodes.
        nodes: Vec<NodeName>,
        /// A series that every exporter gives.
        series: String,
        /// ServiceMonitor that says where the exporters answer, and their namespace.
        monitor: Placed,
        /// Label selector of the exporters' pods.
        pods: String,
        /// Service of Prometheus.
        prometheus: Placed,
        /// The one that the service listens on, for HTTP.
        port: u16,
    },
    /// Pods get InfiniBand devices when they ask for them.
    Rdma {
        /// GPU nodes.
        nodes: Vec<NodeName>,
        /// What the pods ask for, one of each: virtual functions of an adapter.
        resources: Vec<String>,
        /// Networks that they are attached to, `NAMESPACE/NAME`.
        networks: Vec<String>,
        /// Image with a shell.
        image: String,
    },
    /// The name resolves to the address in pods, on each kind of node.
    Dns {
        /// What is looked up.
        name: Domain,
        /// Address wanted.
        address: Ipv4Addr,
        /// Nodes of the site.
        nodes: Vec<NodeName>,
        /// Image with a shell and `nslookup`.
        image: String,
    },
    /// Names of others than the cluster resolve in pods, on each kind of node.
    DnsOut {
        /// Nodes of the site.
        nodes: Vec<NodeName>,
        /// What pods look up: hosts that the site uses outside of the cluster.
        names: Vec<String>,
        /// Image with a shell and `nslookup`.
        image: String,
    },
    /// The service that the load balancer leads to has one of its addresses, and answers there.
    LoadBalancer {
        /// Of the ingress controller.
        service: Placed,
        /// What the load balancer may give out.
        pool: Vec<AddressRange>,
        /// Image with a shell and `wget`.
        image: String,
    },
    /// The ingress controller answers HTTP, whatever it says.
    IngressController {
        /// Where it is asked.
        address: Ipv4Addr,
        /// The one for HTTP without TLS.
        port: u16,
        /// Image with a shell and `wget`.
        image: String,
    },
    /// HTTPS to the URL answers with a certificate that our authority signed.
    Ingress {
        /// The whole address, `https://` and a port where it is not 443.
        url: String,
        /// Where it is answered; this machine need not know the name. None: as the name resolves here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Ipv4Addr>,
        /// Certificate name; none: system roots.
        certificate: Option<String>,
        /// Nobody need be behind it: an answer of the ingress controller itself is enough.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        nobody_behind: bool,
    },
    /// A claim of the default storage class binds, and what one pod writes into it the next one reads.
    Storage {
        /// Image with a shell.
        image: String,
    },
    /// What one pod writes into a claim is in another claim that is made from a snapshot of it.
    Snapshot {
        /// Image with a shell.
        image: String,
    },
    /// Run:ai calls the cluster connected and sees the GPU nodes.
    Runai {
        /// Control plane.
        target: Box<RunaiTarget>,
        /// GPU nodes it must see.
        nodes: Vec<NodeName>,
    },
    /// Run:ai's scheduler places a small training of a project, and it runs.
    RunaiWorkload {
        /// Control plane.
        target: Box<RunaiTarget>,
        /// Project that the site makes: one of somebody else's is not ours to start in.
        project: String,
        /// GPUs that it asks for.
        gpus: u32,
        /// Image with a shell.
        image: String,
    },
}

impl Check {
    /// Stable name of the claim: `gpu.pod-runs`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Check::Nodes { .. } => "kubernetes.nodes-ready",
            Check::System => "kubernetes.system-works",
            Check::PodNetwork { .. } => "network.pods-reach-each-other",
            Check::Metrics { .. } => "kubernetes.metrics-answer",
            Check::GpuCapacity { .. } => "gpu.all-offered",
            Check::GpuPod { .. } => "gpu.pod-runs",
            Check::GpuSharing { .. } => "gpu.shared-by-time",
            Check::GpuMetrics { .. } => "gpu.measured",
            Check::Rdma { .. } => "network.rdma-in-pods",
            Check::Dns { .. } => "dns.name-resolves-in-pods",
            Check::DnsOut { .. } => "dns.others-resolve-in-pods",
            Check::LoadBalancer { .. } => "ingress.address-answers",
            Check::IngressController { .. } => "ingress.controller-answers",
            Check::Ingress { .. } => "ingress.certificate-is-trusted",
            Check::Storage { .. } => "storage.claim-binds",
            Check::Snapshot { .. } => "storage.snapshot-restores",
            Check::Runai { .. } => "runai.cluster-connected",
            Check::RunaiWorkload { .. } => "runai.workload-runs",
        }
    }

    /// As it stands in ids of steps and in `checks.skip`: `gpu-pod`.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Check::Nodes { .. } => "nodes",
            Check::System => "system",
            Check::PodNetwork { .. } => "pod-network",
            Check::Metrics { .. } => "metrics",
            Check::GpuCapacity { .. } => "gpu-capacity",
            Check::GpuPod { .. } => "gpu-pod",
            Check::GpuSharing { .. } => "gpu-sharing",
            Check::GpuMetrics { .. } => "gpu-metrics",
            Check::Rdma { .. } => "rdma",
            Check::Dns { .. } => "dns",
            Check::DnsOut { .. } => "dns-out",
            Check::LoadBalancer { .. } => "load-balancer",
            Check::Ingress { .. } | Check::IngressController { .. } => "ingress",
            Check::Storage { .. } => "storage",
            Check::Snapshot { .. } => "snapshot",
            Check::Runai { .. } => "runai",
            Check::RunaiWorkload { .. } => "runai-workload",
        }
    }

    /// The nodes that it can be narrowed to; none: it is about no node.
    pub fn nodes_mut(&mut self) -> Option<&mut Vec<NodeName>> {
        match self {
            Check::Nodes { nodes }
            | Check::Metrics { nodes }
            | Check::GpuCapacity { nodes, .. }
            | Check::GpuSharing { nodes, .. }
            | Check::GpuMetrics { nodes, .. }
            | Check::Rdma { nodes, .. }
            | Check::Dns { nodes, .. }
            | Check::DnsOut { nodes, .. } => Some(nodes),
            Check::PodNetwork { nodes, asking, .. } => {
                if asking.is_empty() {
                    asking.clone_from(nodes);
                }
                Some(asking)
            }
            _ => None,
        }
    }

    /// Image of the pods that it makes, if it makes any with an image that the site chooses.
    #[must_use]
    pub fn image(&self) -> Option<&str> {
        match self {
            Check::PodNetwork { image, .. }
            | Check::GpuPod { image, .. }
            | Check::GpuSharing { image, .. }
            | Check::Rdma { image, .. }
            | Check::Dns { image, .. }
            | Check::DnsOut { image, .. }
            | Check::LoadBalancer { image, .. }
            | Check::IngressController { image, .. }
            | Check::Storage { image }
            | Check::Snapshot { image }
            | Check::RunaiWorkload { image, .. } => Some(image),
            _ => None,
        }
    }

    /// The node it is about, if it is about one.
    #[must_use]
    pub const fn node(&self) -> Option<&NodeName> {
        match self {
            Check::GpuPod { node, .. } => Some(node),
            _ => None,
        }
    }
}
