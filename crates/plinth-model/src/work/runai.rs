//! What is done for Run:ai, and what proves the platform: its URL, its certificate, acceptance checks.

use crate::{NodeName, SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Where the Run:ai control plane is, from one URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunaiTarget {
    /// `https://host[:port]`, without a trailing slash.
    pub url: String,
    /// Keycloak realm: `runai` self-hosted.
    pub realm: String,
    /// Administrator's e-mail.
    pub admin: String,
    /// Administrator's password.
    pub password: SecretRef,
    /// Name of the certificate whose authority signs the URL; none: system roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Cluster name.
    pub cluster: String,
    /// Version of the cluster part.
    pub version: String,
}

impl RunaiTarget {
    /// The issuer that Keycloak must write into tokens; compared as an exact text, so host, port and scheme must all be right.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/auth/realms/{}", self.url, self.realm)
    }
}

/// Where the certificate of an ingress comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum CertificateSource {
    /// An own authority and a leaf, made once and kept in the state directory.
    Generated {
        /// Days the authority is valid.
        authority_days: u32,
        /// Days the leaf is valid; renewed when a third is left.
        leaf_days: u32,
    },
    /// Files given by the site.
    Files {
        /// Chain, leaf first.
        certificate: String,
        /// Private key.
        key: SecretRef,
        /// Authority; none when it is publicly trusted.
        authority: Option<String>,
    },
}

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
        target: RunaiTarget,
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
}
