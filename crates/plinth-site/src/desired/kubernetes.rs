//! Kubernetes, as it is wanted.

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use plinth_model::Version;
use serde::Serialize;
use serde_json::Value;
use std::net::Ipv4Addr;

/// How Kubernetes gets onto the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Engine {
    /// plinth runs its playbooks over SSH.
    Kubespray,
    /// BCM's cm-kubernetes-setup. Not in this release.
    Bcm,
    /// A cluster that is already there: no node is touched.
    Existing,
}

/// The wanted cluster: engine, version, networks, API servers, what nodes keep back.
#[derive(Clone, Debug, Serialize)]
pub struct Kubernetes {
    /// How it gets onto the nodes.
    pub engine: Engine,
    /// Version; none only with `engine: existing`: whatever the server says.
    pub version: Option<Version>,
    /// Kubeconfig of a cluster that is already there, as it is written in the site file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// Kubespray release; none: the newest whose table has the version.
    pub kubespray: Option<Version>,
    /// Other place for Kubespray's source: git address, tarball or directory.
    pub kubespray_source: Option<String>,
    /// What Kubespray is proved by and runs with, where the site says so.
    pub kubespray_tools: KubesprayTools,
    /// CNI plugin.
    pub plugin: String,
    /// Pod range; none only with `engine: existing`.
    pub pods: Option<Ipv4Net>,
    /// Service range; none only with `engine: existing`.
    pub services: Option<Ipv4Net>,
    /// Prefix length of a node's pod range.
    pub node_prefix: u8,
    /// MTU of the CNI; none: the plugin finds out.
    pub mtu: Option<u32>,
    /// How services are reached on a node: `ipvs`, `iptables`, `nftables`.
    pub proxy_mode: String,
    /// Calico's own settings.
    pub calico: Calico,
    /// Further names of the API server's certificate.
    pub extra_names: Vec<String>,
    /// How nodes and people reach the API servers.
    pub endpoint: ApiEndpoint,
    /// Issuer of people's tokens.
    pub oidc: Option<Oidc>,
    /// Pods of a node; none: Kubernetes' default of 110.
    pub max_pods: Option<u32>,
    /// Kept back for the operating system.
    pub system_reserved: Reserved,
    /// Kept back for kubelet and container runtime.
    pub kube_reserved: Reserved,
    /// Feature gates by name.
    pub feature_gates: IndexMap<String, bool>,
    /// A DNS cache on every node.
    pub node_dns_cache: bool,
    /// Servers for names outside the cluster; empty: those of the nodes.
    pub dns_servers: Vec<Ipv4Addr>,
    /// Web proxy of the nodes.
    pub proxy: Option<WebProxy>,
    /// Where programs and images come from.
    pub downloads: Downloads,
    /// Certificates are renewed by a timer.
    pub renew_certificates: bool,
    /// Docker may be removed from nodes.
    pub remove_docker: bool,
    /// Variables handed to the engine as they are.
    pub extra_vars: IndexMap<String, Value>,
}

/// Calico's own settings.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Calico {
    /// Prefix length of the blocks in which nodes get pod addresses; none: 26.
    pub block_size: Option<u8>,
    /// Typha replicas; none: by the number of nodes.
    pub typha: Option<u32>,
    /// Interfaces on which it takes a node's address; none: the one that reaches the first control-plane node.
    pub interface: Option<String>,
}

/// How nodes and people reach the API servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ApiEndpoint {
    /// A small proxy on every worker; people use the first control-plane node.
    NodeProxy,
    /// An address that kube-vip announces by ARP.
    KubeVip {
        /// It moves between control-plane nodes, so no machine may have it as its own.
        address: Ipv4Addr,
        /// Interface that carries it; none: kube-vip finds one.
        interface: Option<String>,
    },
    /// A load balancer outside the cluster.
    LoadBalancer {
        /// Where the load balancer listens; plinth does not set it up.
        address: Ipv4Addr,
        /// The TCP port there; the API servers behind it listen on [`ApiEndpoint::PORT`].
        port: u16,
    },
}

impl ApiEndpoint {
    /// Port of the API servers themselves.
    pub const PORT: u16 = 6443;

    /// The one address and port of all API servers, where there is one.
    #[must_use]
    pub const fn shared(&self) -> Option<(Ipv4Addr, u16)> {
        match self {
            Self::NodeProxy => None,
            Self::KubeVip { address, .. } => Some((*address, Self::PORT)),
            Self::LoadBalancer { address, port } => Some((*address, *port)),
        }
    }
}

/// Issuer of people's tokens (OpenID Connect).
#[derive(Clone, Debug, Serialize)]
pub struct Oidc {
    /// Address, exactly as in tokens.
    pub issuer: String,
    /// Client that tokens are made for.
    pub client: String,
    /// Claim that names the user; none: Kubernetes' default, `sub`.
    pub username_claim: Option<String>,
    /// Put before user names.
    pub username_prefix: Option<String>,
    /// Claim that lists groups.
    pub groups_claim: Option<String>,
    /// Put before group names.
    pub groups_prefix: Option<String>,
    /// PEM text of the authority behind the issuer's certificate; none: the node's own authorities.
    pub authority: Option<String>,
}

/// What pods never get of a node; none: the engine's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reserved {
    /// Processors.
    pub cpu: Option<String>,
    /// A Kubernetes quantity: `1Gi`.
    pub memory: Option<String>,
    /// Space on the node's disk.
    pub ephemeral_storage: Option<String>,
    /// Numbers of processes.
    pub pids: Option<u32>,
}

/// Web proxy of the nodes.
#[derive(Clone, Debug, Serialize)]
pub struct WebProxy {
    /// Proxy's URL for requests of plain HTTP; none: they go without one.
    pub http: Option<String>,
    /// Proxy's URL for requests over TLS; none: they go without one.
    pub https: Option<String>,
    /// Reached without it.
    pub no_proxy: Vec<String>,
}

/// Where programs and images come from.
#[derive(Clone, Debug, Serialize)]
pub struct Downloads {
    /// Files are fetched once and pushed to the nodes.
    pub push: bool,
    /// Mirror of files, without a slash at the end: each stands at `HOST/PATH` of its own address below it.
    pub files: Option<String>,
    /// Registry to its mirror, `HOST[:PORT][/PATH]`.
    pub images: IndexMap<String, String>,
}

/// What Kubespray is proved by and runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KubesprayTools {
    /// Commit and tree that a source of one's own must be; none: those of the release.
    pub pin: Option<(String, String)>,
    /// Python, a name or a path; none: the newest that fits.
    pub python: Option<String>,
    /// Address of the package index; none: what this machine is set up for.
    pub index: Option<String>,
    /// Folder of wheels to install from, without any index.
    pub wheels: Option<String>,
}
