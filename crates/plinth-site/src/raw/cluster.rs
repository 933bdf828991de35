//! How the cluster is set: its API, kubelets, names, proxies, downloads.

use super::cluster_rules::{FeatureGate, FilesAddress, IssuerAddress, NoProxy, Pem, ProxyAddress, Quantity};
use super::rules::{ExtraName, MirrorHost};
use super::text::Text;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::Ipv4Addr;

/// API server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Api {
    /// Further names and addresses in its certificate.
    #[serde(default)]
    pub(crate) extra_names: Vec<Text<ExtraName>>,
    /// How nodes and people reach it; when absent a small proxy on every worker, and people use the first control-plane node.
    #[serde(default)]
    pub(crate) endpoint: Option<Endpoint>,
    /// People log in with tokens of this issuer. May be added later.
    #[serde(default)]
    pub(crate) oidc: Option<Oidc>,
}

/// One address for all API servers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Endpoint {
    /// kube-vip on the control plane announces an address that moves by ARP.
    KubeVip(KubeVip),
    /// A load balancer outside the cluster; it must pass TCP to all control-plane nodes.
    LoadBalancer(Balancer),
}

/// An address that kube-vip announces.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KubeVip {
    /// Free address of the production network.
    pub(crate) address: Text<Ipv4Addr>,
    /// Interface that carries it on every control-plane node; kube-vip finds one when absent.
    #[serde(default)]
    #[schemars(length(min = 1, max = 15))]
    pub(crate) interface: Option<String>,
}

/// A load balancer outside the cluster.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Balancer {
    /// Its address.
    pub(crate) address: Text<Ipv4Addr>,
    /// Its port; 6443 when absent.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
}

/// An issuer of tokens (OpenID Connect).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Oidc {
    /// Run:ai is the issuer: its address, its client `runai`, user names without a prefix, and the authority of a control plane elsewhere are
    /// filled in.
    #[serde(default)]
    pub(crate) runai: bool,
    /// Address of the issuer, exactly as it stands in tokens; not with `runai`.
    #[serde(default)]
    pub(crate) issuer: Option<Text<IssuerAddress>>,
    /// Client that tokens must be made for; not with `runai`.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) client: Option<String>,
    /// Claim that names the user; `sub` when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) username_claim: Option<String>,
    /// Put before user names; the issuer's address when absent, `-` for nothing.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) username_prefix: Option<String>,
    /// Claim that lists groups; groups are not taken from tokens when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) groups_claim: Option<String>,
    /// Put before group names.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) groups_prefix: Option<String>,
    /// Certificate of the authority that signed the issuer's, PEM text; the node's own authorities when absent.
    #[serde(default)]
    pub(crate) authority: Option<Text<Pem>>,
}

/// Kubelets of all nodes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kubelet {
    /// Pods a node may have; 110 when absent.
    #[serde(default)]
    #[schemars(range(min = 10, max = 1000))]
    pub(crate) max_pods: Option<u32>,
    /// Kept back for the operating system.
    #[serde(default)]
    pub(crate) system_reserved: Option<Reserved>,
    /// Kept back for kubelet and container runtime.
    #[serde(default)]
    pub(crate) kube_reserved: Option<Reserved>,
}

/// What pods never get of a node.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Reserved {
    /// Processors, such as `500m` or `2`.
    #[serde(default)]
    pub(crate) cpu: Option<Text<Quantity>>,
    /// Memory, such as `4Gi`.
    #[serde(default)]
    pub(crate) memory: Option<Text<Quantity>>,
    /// Space on the disk of the node, such as `10Gi`.
    #[serde(default)]
    pub(crate) ephemeral_storage: Option<Text<Quantity>>,
    /// Numbers of processes.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) pids: Option<u32>,
}

/// Names inside the cluster.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Dns {
    /// A cache on every node, at 169.254.25.10; on when absent.
    #[serde(default)]
    pub(crate) node_cache: Option<bool>,
    /// Servers that names outside the cluster are asked of; those of the nodes when absent.
    #[serde(default)]
    pub(crate) servers: Vec<Text<Ipv4Addr>>,
}

/// Web proxy that nodes need to reach the internet.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebProxy {
    /// Proxy for `http://` addresses.
    #[serde(default)]
    pub(crate) http: Option<Text<ProxyAddress>>,
    /// Proxy for `https://` addresses.
    #[serde(default)]
    pub(crate) https: Option<Text<ProxyAddress>>,
    /// Hosts, domains and networks that are reached without it, besides the cluster's own.
    #[serde(default)]
    pub(crate) no_proxy: Vec<Text<NoProxy>>,
}

/// Where Kubernetes' programs and images come from.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Downloads {
    /// Files are fetched once, verified, and pushed to all nodes; `false` lets every node fetch for itself. On when absent.
    #[serde(default)]
    pub(crate) push: Option<bool>,
    /// Mirror of the files: each stands below it at `HOST/PATH` of its own address, as `plinth render mirror-list` tells.
    #[serde(default)]
    pub(crate) files: Option<Text<FilesAddress>>,
    /// Mirrors of images, by the registry that they mirror.
    #[serde(default)]
    pub(crate) images: Option<Images>,
}

/// Mirrors of images, by the registry that they mirror: `mirror.example.com/quay` for `quay.io`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Images {
    /// Kubernetes' own.
    #[serde(default, rename = "registry.k8s.io")]
    pub(crate) kubernetes: Option<Text<MirrorHost>>,
    /// Calico's and others'.
    #[serde(default, rename = "quay.io")]
    pub(crate) quay: Option<Text<MirrorHost>>,
    /// The proxy on workers, and others'.
    #[serde(default, rename = "docker.io")]
    pub(crate) docker: Option<Text<MirrorHost>>,
    /// kube-vip's and others'.
    #[serde(default, rename = "ghcr.io")]
    pub(crate) github: Option<Text<MirrorHost>>,
    /// Google's.
    #[serde(default, rename = "gcr.io")]
    pub(crate) google: Option<Text<MirrorHost>>,
}

/// Calico's own settings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Calico {
    /// Prefix length of the blocks in which nodes get pod addresses; 26 when absent. Cannot be changed later.
    #[serde(default)]
    #[schemars(range(min = 20, max = 32))]
    pub(crate) block_size: Option<u8>,
    /// Typha replicas between nodes and API server; 0 for none. By the number of nodes when absent.
    #[serde(default)]
    #[schemars(range(max = 20))]
    pub(crate) typha: Option<u32>,
    /// Interfaces by name or pattern, such as `bond0`, on which it takes the node's address. When absent the one that reaches
    /// the first control-plane node.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) interface: Option<String>,
}

/// Feature gates by name.
pub(crate) type FeatureGates = IndexMap<Text<FeatureGate>, bool>;

/// How services are reached on a node.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProxyMode {
    /// Kernel's virtual server.
    Ipvs,
    /// iptables.
    Iptables,
    /// nftables; Kubespray v2.28 and later.
    Nftables,
}

impl ProxyMode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            ProxyMode::Ipvs => "ipvs",
            ProxyMode::Iptables => "iptables",
            ProxyMode::Nftables => "nftables",
        }
    }
}
