//! The work of a step, as data. The executor finds the behaviour by kind; nothing here can run.
//!
//! No value in here is a secret: secrets are named by [`crate::SecretRef`] and fetched by the behaviour at the moment of use.

mod engine;
mod node;
mod platform;
mod runai;

pub use engine::{HostInputs, INVENTORY_FILE, Removal, RunInputs, VARIABLES_FILE};
pub use node::{
    Account, Credential, Jump, KeyAlgorithm, Mirror, NodeExpectation, NodeMinimum, NodeTarget, Preparation,
    RegistryLogin,
};
pub use platform::{CrdPolicy, Health, KubesprayRelease, PodSecurity, Release, SecretContent};
pub use runai::{CertificateSource, Check, RunaiTarget};

use crate::{Digest, NodeName, SiteName};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::Ipv4Addr;

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "params", rename_all_fields = "camelCase")]
pub enum Work {
    /// The head nodes that answer are the ones the inventory came from.
    #[serde(rename = "bcm.identity")]
    BcmIdentity {
        /// Endpoint.
        endpoint: String,
        /// Entity ids of the head nodes.
        head_nodes: Vec<String>,
    },
    /// SSH answers, and its host key is pinned.
    #[serde(rename = "node.connect")]
    NodeConnect {
        /// Node, with the first-contact login.
        target: NodeTarget,
    },
    /// The service account exists as wanted.
    #[serde(rename = "node.account")]
    NodeAccount {
        /// Node, with the first-contact login.
        target: NodeTarget,
        /// Account.
        account: Account,
    },
    /// Facts are read with the service account and are good enough; answers the node's storage gate.
    #[serde(rename = "node.facts")]
    NodeFacts {
        /// Node, with the service account.
        target: NodeTarget,
        /// What it is measured against.
        expected: NodeExpectation,
    },
    /// containerd's data lives on the larger partition, nothing lost.
    #[serde(rename = "node.storage")]
    NodeStorage {
        /// Node, with the service account.
        target: NodeTarget,
        /// Where it was.
        from: String,
        /// Where it goes.
        to: String,
    },
    /// The old copy of containerd's data is gone: the move before it was recorded as done.
    #[serde(rename = "node.storage-old")]
    NodeStorageOld {
        /// Node, with the service account.
        target: NodeTarget,
        /// Where the data was.
        from: String,
        /// Where it is.
        to: String,
    },
    /// What Kubernetes needs of the node, and the engine does not do itself.
    #[serde(rename = "node.prepare")]
    NodePrepare {
        /// Node, with the service account.
        target: NodeTarget,
        /// What is wanted.
        wanted: Preparation,
    },
    /// Registry mirrors and logins are in place, and the registries answer from the node.
    #[serde(rename = "node.registries")]
    NodeRegistries {
        /// Node, with the service account.
        target: NodeTarget,
        /// Mirrors.
        mirrors: Vec<Mirror>,
        /// The engine writes the mirrors; here they only must answer.
        #[serde(default)]
        mirrors_by_engine: bool,
        /// Logins.
        logins: Vec<RegistryLogin>,
    },
    /// Kubespray's source is here and is the pinned one.
    #[serde(rename = "kubespray.source")]
    KubespraySource {
        /// Release.
        release: KubesprayRelease,
    },
    /// A Python environment for that release exists.
    #[serde(rename = "kubespray.environment")]
    KubesprayEnvironment {
        /// Release.
        release: KubesprayRelease,
    },
    /// Inventory and variables are written.
    #[serde(rename = "kubespray.inventory")]
    KubesprayInventory {
        /// File name below the site's state directory to content.
        files: IndexMap<String, String>,
    },
    /// The files that the engine needs on nodes are here, verified.
    #[serde(rename = "kubespray.downloads")]
    KubesprayDownloads {
        /// Release.
        release: KubesprayRelease,
        /// Digest of inventory and variables: they decide which files.
        inputs: Digest,
        /// Mirror that keeps each file under the host and path of its own address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mirror: Option<String>,
    },
    /// Those files are on the node, where the engine looks for them before it fetches anything.
    #[serde(rename = "node.downloads")]
    NodeDownloads {
        /// Node, with the service account.
        target: NodeTarget,
        /// Folder.
        folder: String,
        /// Groups of the node, which decide what it needs.
        groups: Vec<String>,
        /// Digest of inventory and variables.
        inputs: Digest,
    },
    /// cluster.yml ran to its end on every host, with this release and these files.
    #[serde(rename = "kubespray.run")]
    KubesprayRun {
        /// Release.
        release: KubesprayRelease,
        /// Hosts, as the account reaches them. Each must appear in the final statistics without failure.
        targets: Vec<NodeTarget>,
        /// Digest of inventory and variables.
        inputs: Digest,
        /// The same in parts, which decide what is run.
        parts: RunInputs,
    },
    /// Kubernetes left these hosts.
    #[serde(rename = "kubespray.removal")]
    KubesprayRemoval {
        /// Release.
        release: KubesprayRelease,
        /// All hosts of the inventory, as the account reaches them.
        targets: Vec<NodeTarget>,
        /// Which leave.
        removal: Removal,
        /// What the written files are, in parts.
        parts: RunInputs,
    },
    /// Broken members of the control plane are whole again, taken in by those that survived.
    #[serde(rename = "kubespray.recovery")]
    KubesprayRecovery {
        /// Release.
        release: KubesprayRelease,
        /// All hosts of the inventory, as the account reaches them. Workers need not answer.
        targets: Vec<NodeTarget>,
        /// Which are broken.
        broken: Vec<NodeName>,
        /// What the cluster is made from when it is whole, in parts.
        parts: RunInputs,
    },
    /// Nothing of Kubernetes is left on the node.
    #[serde(rename = "node.leftovers")]
    NodeLeftovers {
        /// Node, with the service account.
        target: NodeTarget,
    },
    /// A kubeconfig that works is in the state directory (0600).
    #[serde(rename = "kubernetes.kubeconfig")]
    Kubeconfig {
        /// Control-plane node it is read from.
        target: NodeTarget,
        /// Server address written into it.
        server: String,
    },
    /// The node carries these labels and taints.
    #[serde(rename = "kubernetes.labels")]
    NodeLabels {
        /// Node.
        node: NodeName,
        /// Labels.
        labels: IndexMap<String, String>,
        /// Taints, `key=value:Effect`.
        taints: Vec<String>,
    },
    /// The node is Ready and runs this version.
    #[serde(rename = "kubernetes.ready")]
    NodeReady {
        /// Node.
        node: NodeName,
        /// Kubernetes version, with `v`.
        version: String,
    },
    /// API server, etcd, certificates and the cluster's own pods are well.
    #[serde(rename = "kubernetes.control-plane")]
    ControlPlane {
        /// Nodes of the control plane and of etcd, with the service account.
        targets: Vec<NodeTarget>,
        /// Those of them that are etcd's members.
        etcd: Vec<NodeName>,
    },
    /// containerd knows NVIDIA's runtime wherever the GPU operator's toolkit runs.
    #[serde(rename = "kubernetes.gpu-runtime")]
    GpuRuntime {
        /// GPU nodes, with the service account.
        targets: Vec<NodeTarget>,
    },
    /// Pods resolve the name to the address.
    #[serde(rename = "kubernetes.dns")]
    ClusterDns {
        /// Name.
        name: String,
        /// Address.
        address: Ipv4Addr,
    },
    /// The certificate is in the state directory.
    #[serde(rename = "platform.certificate")]
    Certificate {
        /// Name: `runai`.
        name: String,
        /// Subject and subject alternative names.
        names: Vec<String>,
        /// Source.
        source: CertificateSource,
    },
    /// The namespace exists with its Pod Security level.
    #[serde(rename = "platform.namespace")]
    Namespace {
        /// Name.
        name: String,
        /// Level, for enforce, audit and warn.
        pod_security: PodSecurity,
    },
    /// The secret exists with this content.
    #[serde(rename = "platform.secret")]
    KubeSecret {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Content.
        content: SecretContent,
        /// Labels.
        #[serde(default)]
        labels: IndexMap<String, String>,
    },
    /// The release is deployed with this chart, version and values, and is healthy.
    #[serde(rename = "platform.release")]
    HelmRelease {
        /// Release.
        release: Box<Release>,
    },
    /// Objects beside a release exist as wanted, and are healthy.
    #[serde(rename = "platform.objects")]
    KubeObjects {
        /// Component they belong to.
        component: String,
        /// Manifests.
        objects: Vec<Value>,
        /// What proves that they work.
        health: Vec<Health>,
        /// How long they may take, seconds.
        timeout_s: u32,
    },
    /// The issuer document names exactly the expected issuer.
    #[serde(rename = "runai.issuer")]
    RunaiIssuer {
        /// Control plane.
        target: RunaiTarget,
    },
    /// The cluster is registered exactly once.
    #[serde(rename = "runai.register")]
    RunaiRegister {
        /// Control plane.
        target: RunaiTarget,
    },
    /// The cluster reports to the control plane.
    #[serde(rename = "runai.connected")]
    RunaiConnected {
        /// Control plane.
        target: RunaiTarget,
    },
    /// An acceptance check holds.
    #[serde(rename = "check")]
    Check {
        /// Check.
        check: Check,
        /// Site, for messages.
        site: SiteName,
    },
}

impl Work {
    /// Its kind, as in the plan.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Work::BcmIdentity { .. } => "bcm.identity",
            Work::NodeConnect { .. } => "node.connect",
            Work::NodeAccount { .. } => "node.account",
            Work::NodeFacts { .. } => "node.facts",
            Work::NodeStorage { .. } => "node.storage",
            Work::NodeStorageOld { .. } => "node.storage-old",
            Work::NodePrepare { .. } => "node.prepare",
            Work::NodeRegistries { .. } => "node.registries",
            Work::KubespraySource { .. } => "kubespray.source",
            Work::KubesprayEnvironment { .. } => "kubespray.environment",
            Work::KubesprayInventory { .. } => "kubespray.inventory",
            Work::KubesprayRun { .. } => "kubespray.run",
            Work::KubesprayRemoval { .. } => "kubespray.removal",
            Work::KubesprayRecovery { .. } => "kubespray.recovery",
            Work::NodeLeftovers { .. } => "node.leftovers",
            Work::KubesprayDownloads { .. } => "kubespray.downloads",
            Work::NodeDownloads { .. } => "node.downloads",
            Work::Kubeconfig { .. } => "kubernetes.kubeconfig",
            Work::NodeLabels { .. } => "kubernetes.labels",
            Work::NodeReady { .. } => "kubernetes.ready",
            Work::ControlPlane { .. } => "kubernetes.control-plane",
            Work::GpuRuntime { .. } => "kubernetes.gpu-runtime",
            Work::ClusterDns { .. } => "kubernetes.dns",
            Work::Certificate { .. } => "platform.certificate",
            Work::Namespace { .. } => "platform.namespace",
            Work::KubeSecret { .. } => "platform.secret",
            Work::HelmRelease { .. } => "platform.release",
            Work::KubeObjects { .. } => "platform.objects",
            Work::RunaiIssuer { .. } => "runai.issuer",
            Work::RunaiRegister { .. } => "runai.register",
            Work::RunaiConnected { .. } => "runai.connected",
            Work::Check { .. } => "check",
        }
    }

    /// Whether it only looks: it changes nothing, ever.
    #[must_use]
    pub const fn reads_only(&self) -> bool {
        matches!(
            self,
            Work::BcmIdentity { .. }
                | Work::NodeFacts { .. }
                | Work::NodeReady { .. }
                | Work::ControlPlane { .. }
                | Work::RunaiIssuer { .. }
                | Work::RunaiConnected { .. }
        )
    }

    /// The node it touches, for limits per target and failure budgets.
    #[must_use]
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Work::NodeConnect { target }
            | Work::NodeAccount { target, .. }
            | Work::NodeFacts { target, .. }
            | Work::NodeStorage { target, .. }
            | Work::NodeStorageOld { target, .. }
            | Work::NodePrepare { target, .. }
            | Work::NodeLeftovers { target }
            | Work::NodeRegistries { target, .. }
            | Work::NodeDownloads { target, .. } => Some(&target.node),
            Work::NodeLabels { node, .. } | Work::NodeReady { node, .. } => Some(node),
            Work::Check { check: Check::GpuPod { node }, .. } => Some(node),
            _ => None,
        }
    }
}
