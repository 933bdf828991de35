//! Desired: the validated, defaulted content of the site file. Made only by `plinth_site::load`; whoever holds one needs no
//! further checks of the file. Names of files are as written, so that the digest does not depend on where the site file lies;
//! relative ones start at its folder.
//!
//! Serialised for its digest, so the order of fields is part of the digest.

mod issuer;
mod kubernetes;
mod notify;
mod run;

pub use kubernetes::{ApiEndpoint, Calico, Downloads, Engine, Kubernetes, KubesprayTools, Oidc, Reserved, WebProxy};
pub use notify::{Occasion, Webhook, WebhookFormat};
pub use run::{Keep, RunLimits};

use crate::raw::rules::range_of;
use indexmap::IndexMap;
use ipnet::Ipv4Net;
use plinth_model::steps::{Account, CertificateSource, Credential, Jump, Mirror, RegistryLogin};
use plinth_model::{Digest, Domain, HostPath, NodeName, SecretRef, SiteName, Values, Version};
use serde::Serialize;
use std::net::Ipv4Addr;

/// One deployment.
#[derive(Clone, Debug, Serialize)]
pub struct Desired {
    /// What state directory, steps and messages call this deployment.
    pub name: SiteName,
    /// Where nodes are listed.
    pub inventory: InventorySource,
    /// Which addresses may be used.
    pub networks: Networks,
    /// Which node does what.
    pub nodes: Nodes,
    /// How nodes are reached.
    pub access: Access,
    /// Which Kubernetes is wanted, and how it gets onto the nodes.
    pub kubernetes: Kubernetes,
    /// Container registries, as nodes see them.
    pub registries: Registries,
    /// Where container images live.
    pub storage: Storage,
    /// Helm components.
    pub platform: Platform,
    /// Run:ai; none: the platform without it.
    pub runai: Option<Runai>,
    /// What acceptance checks are made with.
    pub checks: Checks,
    /// Limits of a run. Not part of what is deployed.
    #[serde(skip)]
    pub run: RunLimits,
    /// Whom a run tells about itself. Not part of what is deployed.
    #[serde(skip)]
    pub notify: Vec<Webhook>,
}

impl Desired {
    /// Digest of what is wanted: the same for two files that differ only in comments, order of keys or spelled-out defaults.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// Where nodes are listed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum InventorySource {
    /// Base Command Manager.
    Bcm(BcmAccess),
    /// The site file itself.
    Static(Vec<StaticNode>),
}

/// How BCM is reached.
#[derive(Clone, Debug, Serialize)]
pub struct BcmAccess {
    /// `https://bcm-head-01:8081`, without a path.
    pub endpoint: String,
    /// How it proves itself.
    pub login: BcmLogin,
    /// Whom we trust.
    pub tls: TlsTrust,
}

/// How we prove ourselves to BCM.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum BcmLogin {
    /// User and password, for a session cookie.
    Password {
        /// User.
        username: SecretRef,
        /// Where it is read from; never the password itself.
        password: SecretRef,
    },
    /// A client certificate in the TLS handshake; no login call.
    Certificate {
        /// PEM file.
        certificate: String,
        /// PEM key.
        key: SecretRef,
    },
}

/// Whom a TLS client trusts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TlsTrust {
    /// The system's roots.
    System,
    /// The certificates of a PEM file; a relative name starts at the folder of the site file.
    CaFile(String),
    /// Nobody is checked; a finding in every plan.
    Insecure,
}

/// A node of a static inventory.
#[derive(Clone, Debug, Serialize)]
pub struct StaticNode {
    /// Host name, unique in the list.
    pub name: NodeName,
    /// Production address: SSH and Kubernetes use it.
    pub address: Ipv4Addr,
    /// Category, may be empty.
    pub category: String,
}

/// Which addresses may be used.
#[derive(Clone, Debug, Serialize)]
pub struct Networks {
    /// The one network whose addresses are used for SSH and Kubernetes.
    pub production: ProductionNetwork,
    /// Networks whose addresses are never used; an address in one is an error even when an override names it.
    pub forbidden: Vec<Ipv4Net>,
}

/// The production network, by range or by its name at the inventory source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProductionNetwork {
    /// The range itself.
    Cidr(Ipv4Net),
    /// As the inventory source calls it.
    Name(String),
}

/// Selects nodes of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Selector {
    /// One node by name.
    Name(String),
    /// Nodes by glob (`dgx-*`).
    Glob(String),
    /// All physical nodes of a category.
    Category(String),
}

/// Which node does what. A selector that matches nothing is an error at discovery.
#[derive(Clone, Debug, Serialize)]
pub struct Nodes {
    /// Control plane, in order: the first one is initialised first.
    pub control_plane: Vec<Selector>,
    /// Where pods run.
    pub workers: Vec<Selector>,
    /// etcd members; none: the control plane.
    pub etcd: Option<Vec<Selector>>,
    /// Nodes with GPUs, among the workers.
    pub gpu: Vec<Selector>,
    /// Nodes that carry Run:ai's system services; empty: the control plane.
    pub system: Vec<Selector>,
    /// Nodes that are none of the site's, whatever the lists above select.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Selector>,
    /// Per node, by name.
    pub overrides: IndexMap<NodeName, NodeOverride>,
}

/// What is special about one node.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NodeOverride {
    /// Production address, when BCM does not know it.
    pub address: Option<Ipv4Addr>,
    /// Beside those that its roles bring.
    pub labels: IndexMap<String, String>,
    /// Taints, `key=value:Effect` or `key:Effect`.
    pub taints: Vec<String>,
    /// Directory for container images: decides the storage gate beforehand.
    pub storage: Option<HostPath>,
}

/// How nodes are reached.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// First contact.
    pub bootstrap: Login,
    /// Service account that plinth makes.
    pub account: Account,
    /// SSH port.
    pub port: u16,
    /// Host that SSH goes through.
    pub jump: Option<Jump>,
    /// Globs of nodes from which SHA-1 keys are accepted.
    pub legacy_keys: Vec<String>,
}

/// As whom SSH signs in to a node that plinth has not prepared yet.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    /// A name on the nodes, the same on all.
    pub user: String,
    /// How it proves itself.
    pub credential: Credential,
}

/// Container registries.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Registries {
    /// Where nodes fetch images from instead, by registry.
    pub mirrors: Vec<Mirror>,
    /// What nodes sign in with, by registry.
    pub logins: Vec<RegistryLogin>,
}

/// Where container images live.
#[derive(Clone, Debug, Serialize)]
pub struct Storage {
    /// Directory of images: `/var/lib/containerd`.
    pub images: HostPath,
    /// Free space wanted there, GiB.
    pub images_gib: u64,
    /// Where it moves to when the space is not there: `/local/containerd`.
    pub larger: HostPath,
}

/// What acceptance checks are made with.
#[derive(Clone, Debug, Serialize)]
pub struct Checks {
    /// Image of test pods.
    pub image: String,
    /// Image of test pods that use a GPU.
    pub gpu_image: String,
    /// Names of others that pods must resolve; none: those that the site is known to need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Checks that are not carried out, by the middle part of their steps' ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
}

/// Helm components.
#[derive(Clone, Debug, Serialize)]
pub struct Platform {
    /// How the platform is reached from outside of the cluster.
    pub ingress: Ingress,
    /// Addresses MetalLB may give out (ranges or networks as text); empty: no MetalLB.
    pub load_balancer: Vec<String>,
    /// Where all charts come from; none: their makers' own places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charts: Option<ChartSource>,
    /// Other place for the archive of the helm program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<String>,
    /// Choices by component name; names are checked against the catalog by its resolver.
    pub components: IndexMap<String, ComponentChoice>,
    /// Whether pods share GPUs, and who brings the driver.
    pub gpu: GpuSharing,
    /// InfiniBand adapters for pods; none: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infiniband: Option<Infiniband>,
    /// Compatibility rules accepted by name although they refuse: `runai.kubernetes`.
    pub accept: Vec<String>,
}

/// Where all charts come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChartSource {
    /// A place inside the site that holds copies of all charts.
    Mirror {
        /// `https://HOST/PATH` or `oci://HOST/PATH`, without a slash at its end.
        address: String,
        /// None where everybody may read.
        login: Option<RegistryLogin>,
    },
    /// A folder of packages; a relative name starts at the folder of the site file.
    Folder(String),
}

impl Platform {
    /// The address that the load balancer gives the ingress, unless the site names another one: its first.
    #[must_use]
    pub fn balanced_address(&self) -> Option<Ipv4Addr> {
        let (first, last) = range_of(self.load_balancer.first()?)?;
        // MetalLB may be told to avoid addresses that end in 0, because old routers drop them.
        let next = Ipv4Addr::from(u32::from(first).saturating_add(1));
        Some(if first.octets()[3] == 0 && next <= last { next } else { first })
    }

    /// First and last addresses of what the load balancer may give out.
    #[must_use]
    pub fn balancer_ranges(&self) -> Vec<(Ipv4Addr, Ipv4Addr)> {
        self.load_balancer.iter().filter_map(|range| range_of(range)).collect()
    }

    /// What the load balancer may give out beside one address: networks and ranges as they are, and the one that holds the address as
    /// what is left of it on both sides.
    #[must_use]
    pub fn balanced_without(&self, kept: Option<Ipv4Addr>) -> Vec<String> {
        let rest = |range: &String| match (kept, range_of(range)) {
            (Some(kept), Some((first, last))) if (first..=last).contains(&kept) => around(kept, first, last),
            _ => vec![range.clone()],
        };
        self.load_balancer.iter().flat_map(rest).collect()
    }

    /// Whether the load balancer may give out an address.
    #[must_use]
    pub fn balances(&self, address: Ipv4Addr) -> bool {
        self.balancer_ranges().iter().any(|(first, last)| (first..=last).contains(&&address))
    }
}

/// What is left of a range on both sides of an address in it.
fn around(kept: Ipv4Addr, first: Ipv4Addr, last: Ipv4Addr) -> Vec<String> {
    let (kept, first, last) = (u32::from(kept), u32::from(first), u32::from(last));
    let before = kept.checked_sub(1).map(|end| (first, end));
    let behind = kept.checked_add(1).map(|start| (start, last));
    let text = |(start, end): (u32, u32)| match (Ipv4Addr::from(start), Ipv4Addr::from(end)) {
        (one, same) if one == same => format!("{one}/32"),
        (start, end) => format!("{start}-{end}"),
    };
    before.into_iter().chain(behind).filter(|(start, end)| start <= end).map(text).collect()
}

/// Where HTTP and HTTPS enter the cluster.
#[derive(Clone, Debug, Serialize)]
pub struct Ingress {
    /// Node port for HTTP.
    pub http: u16,
    /// Node port for HTTPS.
    pub https: u16,
    /// Address that the platform's names resolve to; none: the load balancer's first, or without one the first
    /// control-plane node's.
    pub address: Option<Ipv4Addr>,
}

/// A choice about one component.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ComponentChoice {
    /// On or off; none: the catalog's default.
    pub enabled: Option<bool>,
    /// Version; none: the catalog's.
    pub version: Option<Version>,
    /// SHA-256 of the package or file of that version, 64 small digits; none: the catalog's, where it knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Namespace; none: the catalog's.
    pub namespace: Option<String>,
    /// Values merged over the catalog's.
    pub values: Option<Values>,
}

/// How the GPUs of a node are offered to pods.
#[derive(Clone, Debug, Serialize)]
pub struct GpuSharing {
    /// `none`, `single` or `mixed`.
    pub mig: String,
    /// Replicas per GPU; none: no time-slicing.
    pub time_slicing: Option<u32>,
    /// Shares have a name of their own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rename_shared: bool,
    /// The driver is on the host (DGX OS), not in a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_on_host: Option<bool>,
}

impl GpuSharing {
    /// What a pod asks for to get a GPU, or a share of one. Shares with a name of their own are called so by the device plugin
    /// (`renameByDefault`); a name of one's own is not supported there.
    #[must_use]
    pub const fn resource(&self) -> &'static str {
        if self.rename_shared && self.time_slicing.is_some() { "nvidia.com/gpu.shared" } else { "nvidia.com/gpu" }
    }
}

/// InfiniBand adapters of the GPU nodes for pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Infiniband {
    /// Model whose adapters the catalog knows; none: `interfaces` says which they are.
    pub model: Option<String>,
    /// Interfaces of the adapters on every GPU node; empty with a model.
    pub interfaces: Vec<String>,
    /// Network that the pods' addresses are from.
    pub addresses: Ipv4Net,
    /// Virtual functions of an adapter.
    pub virtual_functions: u8,
    /// Nodes that may restart at the same time.
    pub max_unavailable: u16,
}

/// Where Run:ai's artefacts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ArtifactSource {
    /// runai.jfrog.io, up to 2.25.
    Jfrog,
    /// NVIDIA's registry, from 2.24.
    Ngc,
    /// NVIDIA's registry of the open-source artefacts, from 3.0: no login.
    Oss,
    /// A mirror inside the site.
    Airgapped,
}

/// Run:ai, self-hosted.
#[derive(Clone, Debug, Serialize)]
pub struct Runai {
    /// Version: a line (`2.21`) or an exact one (`2.21.43`).
    pub version: Version,
    /// Host name of the control plane; of this cluster where the control plane is elsewhere.
    pub domain: Domain,
    /// The control plane, where it is not on this cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<RemoteControlPlane>,
    /// Port in its URL: 443, or the ingress node port.
    pub port: u16,
    /// Where artefacts come from.
    pub source: ArtifactSource,
    /// Chart mirror and image registry, with `Airgapped`.
    pub mirror: Option<String>,
    /// Registry user; the source's fixed one unless mirrored.
    pub registry_user: Option<String>,
    /// Where the password of that user is read from; none where the source wants no login.
    pub registry_token: Option<SecretRef>,
    /// First administrator's e-mail; the id of the service account where there is one.
    pub admin_email: String,
    /// First administrator's password; the secret of the service account where there is one.
    pub admin_password: SecretRef,
    /// Cluster name.
    pub cluster: String,
    /// Domain below which services of inference get their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inference_domain: Option<Domain>,
    /// What the domain is served with: made by plinth, or given as files.
    pub certificate: CertificateSource,
    /// First departments, with their projects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<Department>,
}

/// A control plane of Run:ai that is not on this cluster.
#[derive(Clone, Debug, Serialize)]
pub struct RemoteControlPlane {
    /// `https://host[:port]`.
    pub url: String,
    /// Realm of its logins; none: that of self-hosted ones.
    pub realm: Option<String>,
    /// The login of the site is a service account of it, and no person's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub service_account: bool,
    /// PEM text of the authority that signed its certificate; none: everybody trusts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

/// A department of Run:ai.
#[derive(Clone, Debug, Serialize)]
pub struct Department {
    /// Unique in the cluster; `default` is the one that Run:ai makes itself.
    pub name: String,
    /// Quota of GPUs.
    pub gpus: u32,
    /// Who shares its quota; empty: none are made.
    pub projects: Vec<Project>,
}

/// A project of Run:ai.
#[derive(Clone, Debug, Serialize)]
pub struct Project {
    /// Unique in the cluster; its namespace is `runai-NAME`.
    pub name: String,
    /// Quota of GPUs.
    pub gpus: u32,
}
