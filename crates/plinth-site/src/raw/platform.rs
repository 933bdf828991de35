//! What runs on the cluster besides Run:ai, and limits of a run.

use super::registry_rules::{ChartMirror, ImageName, Sha256};
use super::rules::{AddressRange, FilePath, Label, NetworkInterface};
use super::secret::SecretSource;
use super::text::Text;
use indexmap::IndexMap;
use ipnet::Ipv4Net;
use plinth_model::{Domain, Version};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::net::Ipv4Addr;

/// What runs on the cluster besides Run:ai.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Platform {
    /// How the cluster's web addresses are reached.
    #[serde(default)]
    pub(crate) ingress: Option<Ingress>,
    /// Load balancer on bare metal.
    #[serde(default)]
    pub(crate) load_balancer: Option<LoadBalancer>,
    /// GPU sharing.
    #[serde(default)]
    pub(crate) gpu: Option<Gpu>,
    /// InfiniBand adapters of the GPU nodes for pods (SR-IOV); nodes may restart for it. Off when absent.
    #[serde(default)]
    pub(crate) infiniband: Option<Infiniband>,
    /// Where all charts come from, Run:ai's too; their makers' own places when absent.
    #[serde(default)]
    pub(crate) charts: Option<Charts>,
    /// The program that installs charts.
    #[serde(default)]
    pub(crate) helm: Option<Helm>,
    /// Choices about single components, by name; what is not named here follows the catalog.
    #[serde(default)]
    pub(crate) components: IndexMap<String, Component>,
    /// Compatibility rules that are accepted by name although they refuse, such as `runai.kubernetes`.
    #[serde(default)]
    pub(crate) accept_incompatible: Vec<String>,
}

/// How the cluster's web addresses are reached.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Ingress {
    /// Node port for HTTP; 30080 when absent.
    #[serde(default)]
    #[schemars(range(min = 30000, max = 32767))]
    pub(crate) http: Option<u16>,
    /// Node port for HTTPS; 30443 when absent.
    #[serde(default)]
    #[schemars(range(min = 30000, max = 32767))]
    pub(crate) https: Option<u16>,
    /// Address that the platform's names resolve to; when absent the first of `loadBalancer`, or without one that of the first
    /// control-plane node.
    #[serde(default)]
    pub(crate) address: Option<Text<Ipv4Addr>>,
}

/// Load balancer on bare metal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoadBalancer {
    /// Addresses it may give out: networks, or ranges such as `192.0.2.200-192.0.2.210`.
    #[serde(default)]
    pub(crate) addresses: Vec<Text<AddressRange>>,
}

/// GPU sharing.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Gpu {
    /// How GPUs are cut into instances; `none` when absent.
    #[serde(default)]
    pub(crate) mig: Option<Mig>,
    /// Pods that share one GPU by turns; no sharing when absent.
    #[serde(default)]
    #[schemars(range(min = 2, max = 64))]
    pub(crate) time_slicing: Option<u32>,
    /// Shares of GPUs are called `nvidia.com/gpu.shared`, so that no pod gets one that asks for a whole GPU; `false` when absent.
    #[serde(default)]
    pub(crate) rename_shared: Option<bool>,
    /// The driver is installed on the nodes (DGX OS), not in a container; when absent as the nodes are, and `true` before they were looked at.
    #[serde(default)]
    pub(crate) driver_on_host: Option<bool>,
}

/// How GPUs are cut into instances.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mig {
    /// Whole GPUs.
    None,
    /// One kind of instance per node.
    Single,
    /// Several kinds of instances on a node.
    Mixed,
}

/// InfiniBand adapters of the GPU nodes for pods: virtual functions, a pool of addresses and a network for each adapter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Infiniband {
    /// Model of the GPU nodes, such as `dgx-h100`, where plinth knows its adapters.
    #[serde(default)]
    pub(crate) model: Option<Text<Label>>,
    /// Interfaces of the adapters, the same on every GPU node, where the model is not known. Without both they are those that the GPU nodes have.
    #[serde(default)]
    pub(crate) interfaces: Vec<Text<NetworkInterface>>,
    /// Network of the pods' addresses on InfiniBand; each adapter gets an equal part of it.
    pub(crate) addresses: Text<Ipv4Net>,
    /// Virtual functions of an adapter; 8 when absent. A node restarts when its firmware has another number.
    #[serde(default)]
    #[schemars(range(min = 1, max = 127))]
    pub(crate) virtual_functions: Option<u8>,
    /// Nodes that may restart at the same time; 1 when absent.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) max_unavailable: Option<u16>,
}

/// Where all charts come from: exactly one of `mirror` and `folder`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["mirror"]}, {"required": ["folder"], "not": {"required": ["login"]}}]))]
pub(crate) struct Charts {
    /// Mirror that holds all charts: `https://HOST/PATH` of a repository with an index, or `oci://HOST/PATH` of a registry where each
    /// chart is `PATH/NAME`.
    #[serde(default)]
    pub(crate) mirror: Option<Text<ChartMirror>>,
    /// Login of the mirror; none when it asks for none.
    #[serde(default)]
    pub(crate) login: Option<ChartLogin>,
    /// Folder with the packages of all charts, named `NAME-VERSION.tgz`. A relative name starts at the folder of this file.
    #[serde(default)]
    pub(crate) folder: Option<Text<FilePath>>,
}

/// Login of a mirror of charts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChartLogin {
    /// User.
    #[schemars(length(min = 1))]
    pub(crate) username: String,
    /// Password or token.
    pub(crate) password: SecretSource,
}

/// The program that installs charts. The one of the machine that runs plinth is used when it is helm 3.14 or newer, or helm 4.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Helm {
    /// Other place for the archive that is fetched where no helm fits: its address or file, or the address or folder that holds it;
    /// `kubernetes.downloads.files` if there is such a mirror, else its makers' own place when absent.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(crate) source: Option<String>,
}

/// A choice about one component.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Component {
    /// On or off; the catalog decides when absent.
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
    /// Chart version; the catalog's when absent.
    #[serde(default)]
    pub(crate) version: Option<Text<Version>>,
    /// SHA-256 of the chart's package in this version, or of the file of objects that the maker publishes instead. Binds like a digest of the
    /// catalog, and is needed for a file of objects that the catalog does not know.
    #[serde(default)]
    pub(crate) digest: Option<Text<Sha256>>,
    /// Namespace; the catalog's when absent.
    #[serde(default)]
    pub(crate) namespace: Option<Text<Label>>,
    /// Helm values, merged over the catalog's.
    #[serde(default)]
    pub(crate) values: Option<IndexMap<String, Value>>,
}

/// Limits of a run. They do not change what is deployed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Run {
    /// Steps at once; 64 when absent.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) parallel: Option<usize>,
    /// Nodes that may fail before no new node step starts; 1 when absent.
    #[serde(default)]
    pub(crate) node_failures: Option<usize>,
    /// What the state directory keeps of earlier runs.
    #[serde(default)]
    pub(crate) keep: Option<Keep>,
}

/// What the state directory keeps of earlier runs. Both bounds hold; the newest run, the last good one and what `plinth status` tells stay
/// whatever they say.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Keep {
    /// Runs; 200 when absent.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) runs: Option<u32>,
    /// MiB of the journal; 512 when absent. A run of a thousand nodes takes some 17.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) mib: Option<u32>,
}

/// What acceptance checks are made with.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Checks {
    /// Image of test pods, with a shell, `httpd`, `wget` and `nslookup`; `docker.io/library/busybox:1.36.1` when absent.
    #[serde(default)]
    pub(crate) image: Option<Text<ImageName>>,
    /// Image of test pods that use a GPU; the container runtime puts `nvidia-smi` into it.
    /// `nvcr.io/nvidia/cuda:13.0.0-base-ubi9` when absent.
    #[serde(default)]
    pub(crate) gpu_image: Option<Text<ImageName>>,
    /// Names of others than the cluster that pods must resolve. When absent: the head nodes of Base Command Manager by their full names,
    /// the control plane of Run:ai where it is elsewhere, and `nvcr.io` on a site that takes charts and images from the internet.
    #[serde(default)]
    pub(crate) names: Option<Vec<Text<Domain>>>,
    /// Checks that are not carried out on this site, neither by `apply` nor by `check`.
    #[serde(default)]
    pub(crate) skip: Vec<CheckName>,
}

/// A kind of acceptance check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CheckName {
    /// Nodes are Ready.
    Nodes,
    /// `kube-system` works.
    System,
    /// Pods reach each other across nodes.
    PodNetwork,
    /// The metrics API answers.
    Metrics,
    /// All GPUs are offered.
    GpuCapacity,
    /// A pod with a GPU runs on each GPU node.
    GpuPod,
    /// GPUs are shared by time as the site says.
    GpuSharing,
    /// Prometheus has the metrics of each GPU node.
    GpuMetrics,
    /// Pods get InfiniBand devices.
    Rdma,
    /// The platform's name resolves in pods.
    Dns,
    /// Names of others than the cluster resolve in pods.
    DnsOut,
    /// The load balancer leads to the ingress.
    LoadBalancer,
    /// The ingress answers, and shows the certificate of Run:ai.
    Ingress,
    /// The default storage class keeps data.
    Storage,
    /// A snapshot is taken and restored.
    Snapshot,
    /// Run:ai calls the cluster connected.
    Runai,
    /// Run:ai's scheduler places a training.
    RunaiWorkload,
}

impl CheckName {
    /// As it stands in ids of steps.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::System => "system",
            Self::PodNetwork => "pod-network",
            Self::Metrics => "metrics",
            Self::GpuCapacity => "gpu-capacity",
            Self::GpuPod => "gpu-pod",
            Self::GpuSharing => "gpu-sharing",
            Self::GpuMetrics => "gpu-metrics",
            Self::Rdma => "rdma",
            Self::Dns => "dns",
            Self::DnsOut => "dns-out",
            Self::LoadBalancer => "load-balancer",
            Self::Ingress => "ingress",
            Self::Storage => "storage",
            Self::Snapshot => "snapshot",
            Self::Runai => "runai",
            Self::RunaiWorkload => "runai-workload",
        }
    }
}
