//! Values that the kinds of this area share. What proves that the platform works.

use crate::steps::RunaiTarget;
use crate::{Domain, NodeName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

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
    },
    /// A pod with one GPU runs on this node and sees it.
    GpuPod {
        /// Node.
        node: NodeName,
        /// Image in which the container runtime puts `nvidia-smi`.
        image: String,
    },
    /// The name resolves to the address from a pod.
    Dns {
        /// Name.
        name: Domain,
        /// Address wanted.
        address: Ipv4Addr,
    },
    /// HTTPS to the URL answers with a certificate that our authority signed.
    Ingress {
        /// URL.
        url: String,
        /// Where it is answered; this machine need not know the name. None: as the name resolves here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Ipv4Addr>,
        /// Certificate name; none: system roots.
        certificate: Option<String>,
    },
    /// A claim of the default storage class binds, and what one pod writes into it the next one reads.
    Storage {
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
            Check::Dns { .. } => "dns.name-resolves-in-pods",
            Check::Ingress { .. } => "ingress.certificate-is-trusted",
            Check::Storage { .. } => "storage.claim-binds",
            Check::Runai { .. } => "runai.cluster-connected",
        }
    }

    /// The nodes that it can be narrowed to; none: it is about no node.
    pub fn nodes_mut(&mut self) -> Option<&mut Vec<NodeName>> {
        match self {
            Check::Nodes { nodes } | Check::Metrics { nodes } | Check::GpuCapacity { nodes, .. } => Some(nodes),
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
            Check::PodNetwork { image, .. } | Check::GpuPod { image, .. } | Check::Storage { image } => Some(image),
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
