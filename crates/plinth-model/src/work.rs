//! The work of a step, as data. The executor finds the behaviour by kind; nothing here can run.
//!
//! No value in here is a secret: secrets are named by [`SecretRef`] and fetched by the behaviour at the moment of use.

use crate::{Digest, NodeName, SecretRef, SiteName};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::Ipv4Addr;

/// How a login proves itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// A password; keyboard-interactive where sshd asks that way.
    Password(SecretRef),
    /// A private key.
    Key(SecretRef),
    /// The caller's SSH agent.
    Agent,
}

/// Where a node is reached, and as whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeTarget {
    /// Node.
    pub node: NodeName,
    /// Production address.
    pub address: Ipv4Addr,
    /// SSH port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Proof.
    pub credential: Credential,
    /// SHA-1 host and user keys are accepted from this node; a visible finding.
    #[serde(default)]
    pub legacy_keys: bool,
}

/// The service account that plinth makes on every node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// User and group name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// Our key: the private half's place; the public half is authorised on the node.
    pub key: SecretRef,
    /// Further public keys to authorise.
    #[serde(default)]
    pub authorized_keys: Vec<String>,
}

/// One registry mirror.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// Registry that is mirrored: `docker.io`.
    pub registry: String,
    /// Mirror addresses, first tried first.
    pub endpoints: Vec<String>,
}

/// One registry login.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistryLogin {
    /// Registry host, without scheme for containerd, as the vendor writes it for pull secrets.
    pub registry: String,
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: SecretRef,
}

/// Least a node must have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeMinimum {
    /// Processor cores.
    pub cpus: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// GPUs are expected.
    pub gpu: bool,
}

/// Kubespray, pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubesprayRelease {
    /// `v2.27.1`.
    pub tag: String,
    /// Where it comes from: a git address, a tarball or a directory.
    pub source: String,
    /// Commit id that must be found.
    pub commit: String,
    /// Tree id that must be found; recomputable without git history.
    pub tree: String,
    /// Accepted Python versions of the controller: `>=3.10, <3.13`.
    pub python: String,
    /// Accepted ansible-core versions.
    pub ansible_core: String,
    /// Pinned ansible package.
    pub ansible: String,
}

/// Pod Security level of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PodSecurity {
    /// Hardened pods only.
    Restricted,
    /// No known privilege escalations.
    Baseline,
    /// Anything.
    Privileged,
}

/// What a Kubernetes secret holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum SecretContent {
    /// `kubernetes.io/dockerconfigjson`.
    RegistryLogin {
        /// The login.
        login: RegistryLogin,
    },
    /// `kubernetes.io/tls` with `tls.crt` (full chain) and `tls.key`.
    Tls {
        /// Name of the certificate that a [`Work::Certificate`] step made.
        certificate: String,
    },
    /// Opaque, one key with the certificate authority's PEM bundle.
    Authority {
        /// Name of the certificate whose authority is meant.
        certificate: String,
        /// Key inside the secret: `runai-ca.pem`.
        key: String,
    },
    /// Opaque, one key with one secret value.
    Value {
        /// Key inside the secret.
        key: String,
        /// The value.
        value: SecretRef,
    },
}

/// What proves that a component works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum Health {
    /// A workload of the namespace has all its replicas ready.
    Workload {
        /// `Deployment`, `DaemonSet` or `StatefulSet`.
        kind: String,
        /// Its name.
        name: String,
    },
    /// An object's field has a value: `.status.state == ready` of `clusterpolicies.nvidia.com/cluster-policy`.
    Field {
        /// `clusterpolicies.nvidia.com`.
        resource: String,
        /// Object name.
        name: String,
        /// Namespace; empty for cluster-scoped objects.
        #[serde(default)]
        namespace: String,
        /// Dotted path below the object.
        path: String,
        /// Value wanted.
        equals: String,
    },
    /// An object's condition is true.
    Condition {
        /// `apiservices.apiregistration.k8s.io`.
        resource: String,
        /// Object name.
        name: String,
        /// Namespace; empty for cluster-scoped objects.
        #[serde(default)]
        namespace: String,
        /// Condition type: `Available`.
        condition: String,
    },
    /// Every GPU node offers a resource.
    Allocatable {
        /// `nvidia.com/gpu`.
        resource: String,
        /// Nodes that must offer it; filled in by the planner.
        #[serde(default)]
        nodes: Vec<NodeName>,
    },
}

/// Who changes a chart's custom resource definitions on upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrdPolicy {
    /// The chart has none.
    None,
    /// They are templates: helm changes them, and removes them with all objects on uninstall.
    Templates,
    /// A hook Job of the chart changes them.
    Hook,
    /// Nobody does: they are applied by plinth before an upgrade.
    Apply,
}

/// One helm release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Component name in the catalog.
    pub component: String,
    /// Release name.
    pub release: String,
    /// Namespace.
    pub namespace: String,
    /// Chart name, or the whole address for `oci://`.
    pub chart: String,
    /// Repository address; empty for `oci://` charts and local packages.
    pub repository: String,
    /// Login for the repository, if it wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<RegistryLogin>,
    /// Exact version.
    pub version: String,
    /// SHA-256 of the package, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Values, complete. Secrets appear as `{"$secret": <SecretRef>}` and are put in by the door, in a 0600 file.
    pub values: Value,
    /// CRD policy.
    pub crds: CrdPolicy,
    /// How long helm may wait, seconds.
    pub timeout_s: u32,
    /// What proves that it works.
    pub health: Vec<Health>,
    /// Jobs left behind by a failed attempt that must be removed before another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_jobs: Vec<String>,
}

/// Key of the object that stands for a secret inside helm values.
pub const SECRET_KEY: &str = "$secret";

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
    /// The issuer that Keycloak must write into tokens; compared as an exact text (facts: runai.md §3.3).
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
        /// Least it must have.
        minimum: NodeMinimum,
        /// Directory of container images.
        images: String,
        /// Space it must offer, GiB.
        images_gib: u64,
        /// Where it may move to.
        larger: String,
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
    /// Registry mirrors and logins are in place, and the registries answer from the node.
    #[serde(rename = "node.registries")]
    NodeRegistries {
        /// Node, with the service account.
        target: NodeTarget,
        /// Mirrors.
        mirrors: Vec<Mirror>,
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
    /// cluster.yml ran to its end on every host, with this release and these files.
    #[serde(rename = "kubespray.run")]
    KubesprayRun {
        /// Release.
        release: KubesprayRelease,
        /// Hosts that must appear in the final statistics without failure.
        hosts: Vec<NodeName>,
        /// Digest of inventory and variables.
        inputs: Digest,
        /// Kubernetes version.
        version: String,
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
            Work::NodeRegistries { .. } => "node.registries",
            Work::KubespraySource { .. } => "kubespray.source",
            Work::KubesprayEnvironment { .. } => "kubespray.environment",
            Work::KubesprayInventory { .. } => "kubespray.inventory",
            Work::KubesprayRun { .. } => "kubespray.run",
            Work::Kubeconfig { .. } => "kubernetes.kubeconfig",
            Work::NodeLabels { .. } => "kubernetes.labels",
            Work::NodeReady { .. } => "kubernetes.ready",
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
            | Work::NodeRegistries { target, .. } => Some(&target.node),
            Work::NodeLabels { node, .. } | Work::NodeReady { node, .. } => Some(node),
            Work::Check { check: Check::GpuPod { node }, .. } => Some(node),
            _ => None,
        }
    }
}
