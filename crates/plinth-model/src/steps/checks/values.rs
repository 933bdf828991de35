//! Values that the kinds of this area share. What proves that the platform works.

use crate::NodeName;
use crate::steps::RunaiTarget;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// An acceptance check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "check")]
pub enum Check {
    /// A pod with one GPU runs on this node and sees it.
    GpuPod {
        /// Node.
        node: NodeName,
    },
    /// The name resolves to the address from a pod.
    Dns {
        /// Name.
        name: String,
        /// Address wanted.
        address: Ipv4Addr,
    },
    /// HTTPS to the URL answers with a certificate that our authority signed.
    Ingress {
        /// URL.
        url: String,
        /// Certificate name; none: system roots.
        certificate: Option<String>,
    },
    /// A claim of the default storage class binds.
    Storage,
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
            Check::GpuPod { .. } => "gpu.pod-runs",
            Check::Dns { .. } => "dns.name-resolves-in-pods",
            Check::Ingress { .. } => "ingress.certificate-is-trusted",
            Check::Storage => "storage.claim-binds",
            Check::Runai { .. } => "runai.cluster-connected",
        }
    }

    /// The node it is about, if it is about one.
    #[must_use]
    pub const fn node(&self) -> Option<&NodeName> {
        match self {
            Check::GpuPod { node } => Some(node),
            Check::Dns { .. } | Check::Ingress { .. } | Check::Storage | Check::Runai { .. } => None,
        }
    }
}
