//! Kubernetes.

use super::cluster::{Api, Calico, Dns, Downloads, FeatureGates, Kubelet, ProxyMode, WebProxy};
use super::rules::{FilePath, GitId};
use super::text::Text;
use indexmap::IndexMap;
use ipnet::Ipv4Net;
use plinth_model::Version;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Kubernetes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kubernetes {
    /// How Kubernetes gets onto the nodes; `kubespray` when absent.
    #[serde(default)]
    pub(crate) engine: Option<Engine>,
    /// Version, all three numbers. With `engine: existing` it may be left out: the server is asked.
    #[serde(default)]
    pub(crate) version: Option<Text<Version>>,
    /// Kubeconfig of a cluster that is already there, for `engine: existing`. It is read and never changed; a copy that works is kept in
    /// the state directory.
    #[serde(default)]
    pub(crate) kubeconfig: Option<Text<FilePath>>,
    /// Which Kubespray; the newest release that offers the version when absent.
    #[serde(default)]
    pub(crate) kubespray: Option<Kubespray>,
    /// Cluster networks.
    #[serde(default)]
    pub(crate) network: Option<Network>,
    /// API server.
    #[serde(default)]
    pub(crate) api: Option<Api>,
    /// Kubelets of all nodes.
    #[serde(default)]
    pub(crate) kubelet: Option<Kubelet>,
    /// Feature gates of all parts of Kubernetes, by name.
    #[serde(default)]
    pub(crate) feature_gates: FeatureGates,
    /// Names inside the cluster.
    #[serde(default)]
    pub(crate) dns: Option<Dns>,
    /// Web proxy that nodes need to reach the internet; none when absent.
    #[serde(default)]
    pub(crate) proxy: Option<WebProxy>,
    /// Where Kubernetes' programs and images come from; their makers' own places when absent.
    #[serde(default)]
    pub(crate) downloads: Option<Downloads>,
    /// Kubernetes' certificates, valid one year, are renewed by a timer on the control plane; on when absent.
    #[serde(default)]
    pub(crate) renew_certificates: Option<bool>,
    /// Docker may be removed from nodes: the engine uninstalls it. Without this a node with Docker is an error.
    #[serde(default)]
    pub(crate) remove_docker: Option<bool>,
    /// Variables handed to the engine as they are; they win over what plinth writes.
    #[serde(default)]
    pub(crate) extra_vars: IndexMap<String, Value>,
}

/// How Kubernetes gets onto the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Engine {
    /// Kubespray.
    Kubespray,
    /// The set-up program of Base Command Manager. Not in this release.
    Bcm,
    /// A cluster that is already there: no node is touched.
    Existing,
}

/// Which Kubespray.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kubespray {
    /// Release, such as `v2.27.1`.
    #[serde(default)]
    pub(crate) version: Option<Text<Version>>,
    /// Other place for its source: a git address, a tarball or a folder.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) source: Option<String>,
    /// What that source must be, when it is one's own: a fork, or a release with patches. The release's own ids when absent.
    #[serde(default)]
    pub(crate) pin: Option<KubesprayPin>,
    /// Python of this machine that Ansible runs with, a name or a path; the newest that the release takes when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) python: Option<String>,
    /// Address of the package index; what this machine is set up for when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) index: Option<String>,
    /// Folder of wheels to install from, without any index.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) wheels: Option<String>,
}

/// What a source of one's own must be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KubesprayPin {
    /// Commit id, 40 digits: `git rev-parse HEAD`.
    pub(crate) commit: Text<GitId>,
    /// Tree id, 40 digits: `git rev-parse HEAD^{tree}`.
    pub(crate) tree: Text<GitId>,
}

/// Cluster networks. No two of them may overlap, nor overlap with a network of the site.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ClusterNetwork")]
pub(crate) struct Network {
    /// Network plugin; `calico` when absent.
    #[serde(default)]
    pub(crate) plugin: Option<Plugin>,
    /// Range of pods; 10.233.64.0/18 when absent.
    #[serde(default)]
    pub(crate) pods: Option<Text<Ipv4Net>>,
    /// Range of services; 10.233.0.0/18 when absent.
    #[serde(default)]
    pub(crate) services: Option<Text<Ipv4Net>>,
    /// Prefix length of one node's part of the pod range; 24 when absent.
    #[serde(default)]
    #[schemars(range(min = 8, max = 30))]
    pub(crate) node_prefix: Option<u8>,
    /// Largest packet of pods, bytes; the plugin finds out when absent.
    #[serde(default)]
    #[schemars(range(min = 576, max = 65535))]
    pub(crate) mtu: Option<u32>,
    /// How services are reached on a node; `ipvs` when absent.
    #[serde(default)]
    pub(crate) proxy_mode: Option<ProxyMode>,
    /// Calico's own settings.
    #[serde(default)]
    pub(crate) calico: Option<Calico>,
}

/// Network plugins that Kubespray knows (Kubespray v2.27.1 and v2.29.1).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
pub(crate) enum Plugin {
    /// Calico.
    #[serde(rename = "calico")]
    Calico,
    /// Cilium.
    #[serde(rename = "cilium")]
    Cilium,
    /// Flannel.
    #[serde(rename = "flannel")]
    Flannel,
    /// Kube-OVN.
    #[serde(rename = "kube-ovn")]
    KubeOvn,
    /// kube-router.
    #[serde(rename = "kube-router")]
    KubeRouter,
    /// Manifests of one's own.
    #[serde(rename = "custom_cni")]
    CustomCni,
    /// The bare plugins.
    #[serde(rename = "cni")]
    Cni,
    /// macvlan.
    #[serde(rename = "macvlan")]
    Macvlan,
    /// The cloud's.
    #[serde(rename = "cloud")]
    Cloud,
    /// None.
    #[serde(rename = "none")]
    None,
}

impl Plugin {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Plugin::Calico => "calico",
            Plugin::Cilium => "cilium",
            Plugin::Flannel => "flannel",
            Plugin::KubeOvn => "kube-ovn",
            Plugin::KubeRouter => "kube-router",
            Plugin::CustomCni => "custom_cni",
            Plugin::Cni => "cni",
            Plugin::Macvlan => "macvlan",
            Plugin::Cloud => "cloud",
            Plugin::None => "none",
        }
    }
}

impl Network {
    /// Calico's settings, or none of them.
    pub(crate) fn calico_or_default(&self) -> Calico {
        self.calico.clone().unwrap_or_default()
    }
}
