//! The Kubernetes client: its calls and the values they speak. The real one is `plinth-kube`.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use indexmap::IndexMap;
use plinth_model::finding::Code;
use plinth_model::steps::{Check, Health, NodeTarget, PodSecurity, SecretContent};
use plinth_model::{DefaultClass, NodeName, ObjectName, ReleaseName, Version};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A node as Kubernetes sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeNode {
    /// Whether its condition Ready is true.
    pub ready: bool,
    /// kubelet version, with `v`.
    pub version: String,
    /// All that it has, whoever set them.
    pub labels: IndexMap<String, String>,
    /// Taints, `key=value:Effect`, or `key:Effect` without a value.
    pub taints: Vec<String>,
    /// Address by which the cluster reaches it, if its kubelet told one.
    pub address: Option<Ipv4Addr>,
    /// Keys of the labels that plinth set.
    pub own_labels: BTreeSet<String>,
    /// Taints that plinth set, as [`taint_name`] says them.
    pub own_taints: BTreeSet<String>,
}

/// What a taint is known by, which is its key and its effect: `key:Effect` of `key=value:Effect`.
#[must_use]
pub fn taint_name(taint: &str) -> String {
    let (name, effect) = taint.rsplit_once(':').unwrap_or((taint, ""));
    let key = name.split_once('=').map_or(name, |(key, _)| key);
    format!("{key}:{effect}")
}

/// The kubeconfig we hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldConfig {
    /// Server address in it.
    pub server: String,
    /// Why it does not work, although its server answers: another authority, an expired certificate. None: it works.
    pub refused: Option<String>,
}

/// What the API server says of itself and of what keeps the cluster going.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterHealth {
    /// The API server's own checks that fail.
    pub failing: Vec<String>,
    /// Workloads of `kube-system`.
    pub workloads: Vec<SystemWorkload>,
}

/// One workload of `kube-system`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemWorkload {
    /// `Deployment` or `DaemonSet`.
    pub kind: &'static str,
    /// Unique among the workloads of its kind there.
    pub name: String,
    /// Pods that are ready.
    pub ready: u32,
    /// Pods that should be; of a daemon set one for every node that it fits.
    pub wanted: u32,
}

/// A pod of the GPU operator's toolkit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolkitPod {
    /// Where the GPU operator put it.
    pub namespace: String,
    /// As Kubernetes made it up; unique in the namespace.
    pub name: String,
}

/// Health of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthState {
    /// Whether it holds.
    pub holds: bool,
    /// What was seen, in one line for people.
    pub seen: String,
}

/// What a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckSeen {
    /// It holds; with what was seen, one line each.
    Holds(Vec<String>),
    /// It does not hold.
    Fails {
        /// What was seen, one line each.
        evidence: Vec<String>,
        /// The finding, where it is another one than the claim's.
        code: Option<Code>,
    },
    /// It was not carried out, and nothing is wrong with that; why.
    Skipped(String),
}

impl CheckSeen {
    /// Whether it holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Holds(_))
    }
}

/// The kubeconfig of a cluster that is already there, as the site names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenConfig {
    /// Server address in it.
    pub server: String,
    /// Whether the kubeconfig that is held is a copy of it.
    pub held: bool,
}

/// Whose mark a cluster carries that somebody else installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterMark {
    /// This state directory's.
    Ours,
    /// Nobody's, or one that is to be replaced.
    Absent,
    /// Another state directory's, in words.
    Other(String),
}

/// A cluster that is already there. Its kubeconfig is read and never changed.
#[async_trait]
pub trait ExistingCluster: Send + Sync {
    /// Which state directory manages the cluster, by the mark in it.
    async fn mark(&self, ctx: &Context, file: &str) -> ClientResult<ClusterMark>;
    /// What the site's kubeconfig says. A file that is not there, or that a copy cannot be made of, is an error with a finding.
    async fn given(&self, ctx: &Context, file: &str) -> ClientResult<GivenConfig>;
    /// Marks the cluster as managed from here, before anything else, and keeps a copy for this site, if it works; what was held before
    /// stays otherwise. One that another state directory manages is left alone.
    async fn take_over(&self, ctx: &Context, file: &str) -> ClientResult<()>;
    /// Version of the server that a kubeconfig leads to, as it says itself.
    async fn version(&self, ctx: &Context, file: &str) -> ClientResult<Version>;
    /// Storage classes that are the default there, by name.
    async fn default_classes(&self, ctx: &Context, file: &str) -> ClientResult<Vec<DefaultClass>>;
}

/// The kubeconfig that we hold.
#[async_trait]
pub trait KubeAccess: Send + Sync {
    /// The kubeconfig we hold, if we hold one. A server that does not answer is an error.
    async fn kubeconfig(&self, ctx: &Context) -> ClientResult<Option<HeldConfig>>;
    /// Fetches the kubeconfig from a control-plane node and sets its server address and names. It is kept only when it works.
    async fn fetch_kubeconfig(&self, ctx: &Context, from: &NodeTarget, server: &str) -> ClientResult<()>;
}

/// Nodes as Kubernetes knows them.
#[async_trait]
pub trait KubeNodes: Send + Sync {
    /// The node, if Kubernetes knows it.
    async fn node(&self, ctx: &Context, node: &NodeName) -> ClientResult<Option<KubeNode>>;
    /// All nodes that Kubernetes knows, by name.
    async fn nodes(&self, ctx: &Context) -> ClientResult<IndexMap<String, KubeNode>>;
    /// Makes these the labels and taints that plinth gives the node: sets them, and takes away those that it gave before and that are
    /// not among them. What others set stays.
    async fn label_node(
        &self,
        ctx: &Context,
        node: &NodeName,
        labels: &IndexMap<String, String>,
        taints: &[String],
    ) -> ClientResult<()>;
}

/// What keeps the cluster going: the API server and `kube-system`.
#[async_trait]
pub trait KubeSystem: Send + Sync {
    /// What the API server says of itself and of what keeps the cluster going.
    async fn cluster_health(&self, ctx: &Context) -> ClientResult<ClusterHealth>;
}

/// Where nodes that join find the API.
#[async_trait]
pub trait KubeJoins: Send + Sync {
    /// Rewrites `cluster-info` to `server` if it points at one of `away`. Returns whether it did.
    async fn redirect_joins(&self, ctx: &Context, away: &[NodeTarget], server: &str) -> ClientResult<bool>;
}

/// Pods of the GPU operator's toolkit.
#[async_trait]
pub trait KubeToolkits: Send + Sync {
    /// Pods of the GPU operator's toolkit by the names of their nodes, without those that are on their way out.
    async fn toolkits(&self, ctx: &Context) -> ClientResult<IndexMap<String, ToolkitPod>>;
    /// Ends such a pod; its daemon set starts another one.
    async fn end_pod(&self, ctx: &Context, pod: &ToolkitPod) -> ClientResult<()>;
}

/// Namespaces with their Pod Security level.
#[async_trait]
pub trait KubeNamespaces: Send + Sync {
    /// Pod Security level (enforce) of the namespace, if it exists.
    async fn namespace(&self, ctx: &Context, name: &str) -> ClientResult<Option<Option<PodSecurity>>>;
    /// Makes the namespace where it is missing, and sets the labels of its Pod Security level.
    async fn make_namespace(&self, ctx: &Context, name: &str, level: PodSecurity) -> ClientResult<()>;
}

/// Secrets. Their content is compared inside the client, and never comes back.
#[async_trait]
pub trait KubeSecrets: Send + Sync {
    /// Whether the secret exists with exactly this content and these labels. The content is compared inside the client.
    async fn secret_matches(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<Option<bool>>;
    /// Makes or replaces the secret.
    async fn make_secret(
        &self,
        ctx: &Context,
        namespace: &str,
        name: &str,
        content: &SecretContent,
        labels: &IndexMap<String, String>,
    ) -> ClientResult<()>;
}

/// A workload whose pods have not all the present content of a secret, or are not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// `Deployment`, `StatefulSet` or `DaemonSet`; `Pod` where something else makes its pods.
    pub kind: String,
    /// Unique among the workloads of its kind in the secret's namespace.
    pub name: String,
    /// Names of its pods that have an older content.
    pub old: Vec<String>,
    /// What is missing, for people: `1 of 3 pods has the present content`.
    pub seen: String,
}

/// Pods that read a secret. A file that is mounted by sub-path keeps the content of the pod's start, and so does a variable.
#[async_trait]
pub trait KubeRestarts: Send + Sync {
    /// Who is behind the present content of a secret. `read_at_start`: programs read it when they start, also where its files follow.
    async fn behind(
        &self,
        ctx: &Context,
        namespace: &str,
        secret: &str,
        read_at_start: bool,
    ) -> ClientResult<Vec<Behind>>;
    /// Has these restarted, as `kubectl rollout restart` does; does not wait. What is on its way already goes on.
    async fn restart(&self, ctx: &Context, namespace: &str, secret: &str, behind: &[Behind]) -> ClientResult<()>;
}

/// Objects of any kind, as manifests.
#[async_trait]
pub trait KubeObjects: Send + Sync {
    /// Differences between manifests and the live objects (server-side dry run); empty when equal.
    async fn diff(&self, ctx: &Context, objects: &[Value]) -> ClientResult<Vec<String>>;
    /// Applies manifests, server side.
    async fn apply(&self, ctx: &Context, objects: &[Value]) -> ClientResult<()>;
    /// The version that an object says it has, at `status.version`. None: it is not there, its kind is not known, or it says none.
    async fn version(&self, ctx: &Context, object: &ObjectName) -> ClientResult<Option<Version>>;
    /// Those that are there, also while they are on their way out. One of a kind that the API server does not know is not.
    async fn present(&self, ctx: &Context, objects: &[ObjectName]) -> ClientResult<Vec<ObjectName>>;
    /// Asks for their removal, and does not wait: who holds a finalizer may take long. Those that are not there are fine.
    async fn remove(&self, ctx: &Context, objects: &[ObjectName]) -> ClientResult<()>;
}

/// A port of every node that a service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePort {
    /// 1 to 65535, the same on every node.
    pub number: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The service that has it.
    pub service: ObjectName,
    /// The release that the service is marked to belong to; none: to no release of helm.
    pub release: Option<ReleaseName>,
}

/// What a cluster holds that may stand in the way of what comes.
#[async_trait]
pub trait KubeContent: Send + Sync {
    /// Kinds that are served beside Kubernetes' own: `monitoring.coreos.com/v1/ServiceMonitor`.
    async fn further_kinds(&self, ctx: &Context) -> ClientResult<Vec<String>>;
    /// Those of the objects that are there, each with the release that it is marked to belong to; none: to no release of helm.
    async fn owners(
        &self,
        ctx: &Context,
        objects: &[ObjectName],
    ) -> ClientResult<Vec<(ObjectName, Option<ReleaseName>)>>;
    /// Node ports in use.
    async fn node_ports(&self, ctx: &Context) -> ClientResult<Vec<NodePort>>;
}

/// Health of what components bring.
#[async_trait]
pub trait KubeHealth: Send + Sync {
    /// Health of one thing.
    async fn health(&self, ctx: &Context, namespace: &str, health: &Health) -> ClientResult<HealthState>;
}

/// Watching what comes up.
#[async_trait]
pub trait KubeWatch: Send + Sync {
    /// Begins to watch what these proofs are about, and the pods and Events of a namespace (none, when its name is empty). What cannot be
    /// watched is not: whoever waits looks again in time as well.
    async fn watch(&self, ctx: &Context, namespace: &str, health: &[Health]) -> Box<dyn Watch>;
}

/// A namespace that is watched.
#[async_trait]
pub trait Watch: Send {
    /// Waits until something changed, at most so long. Answers what is being waited for, in sentences for people, the most telling first:
    /// the last line of a hook that runs, the pod that is not ready and why (the image that is pulled), the last warning. Texts of
    /// others are in it, without secrets. Empty: nothing is known.
    async fn changed(&mut self, ctx: &Context, most: Duration) -> Vec<String>;
}

/// What Jobs of hooks left.
#[async_trait]
pub trait KubeHooks: Send + Sync {
    /// What these Jobs of a namespace left, or with no names those of hooks that did not complete, the newest first: why each ended, for its
    /// last pods what their containers wrote, and what was complained about. A text for people; whatever secrets pods wrote are in it. Empty:
    /// there is none.
    async fn jobs_said(&self, ctx: &Context, namespace: &str, names: Option<&[String]>) -> ClientResult<String>;
}

/// Whether a refusal of the API server is its last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is ready, and was so when it was asked first.
    Is,
    /// It became ready while it was waited for: what it refused before, it may grant now.
    Became,
    /// It was not ready in the time that one needs to start.
    IsNot,
    /// It refuses to say, and may go on refusing: we may have no right to know.
    Untold,
}

/// An API server that has just started listens before it knows its users' rights and the kinds that were added to it.
#[async_trait]
pub trait KubeReadiness: Send + Sync {
    /// Waits until the API server says that it is ready, no longer than one needs that starts.
    async fn readiness(&self, ctx: &Context) -> ClientResult<Readiness>;
}

/// Nothing is watched: it waits, and says nothing.
pub struct Unwatched;

#[async_trait]
impl Watch for Unwatched {
    async fn changed(&mut self, ctx: &Context, most: Duration) -> Vec<String> {
        ctx.clock().sleep(most).await;
        Vec::new()
    }
}

/// What the DNS of a cluster has of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameSeen {
    /// Addresses that the servers of the cluster give, together; empty when it does not resolve.
    pub addresses: Vec<Ipv4Addr>,
    /// Caches on the nodes that do not ask these servers for it, by their configuration, with the addresses that each has by itself. What
    /// pods get is the cache's answer where there is one.
    pub caches: Vec<(String, Vec<Ipv4Addr>)>,
}

/// The DNS of the cluster: its servers, and caches on the nodes.
#[async_trait]
pub trait ClusterDns: Send + Sync {
    /// What it has of a name. Servers are asked, the configuration of caches is read. No pod asks: that is a check's to do.
    async fn look_up(&self, ctx: &Context, name: &str) -> ClientResult<NameSeen>;
    /// Names that plinth put into its configuration.
    async fn own_entries(&self, ctx: &Context) -> ClientResult<BTreeSet<String>>;
    /// Puts a name into it, marked, as the only one of plinth's; none: takes all of plinth's out. Second choice after the engine's own setting.
    async fn set_entry(&self, ctx: &Context, entry: Option<(&str, Ipv4Addr)>) -> ClientResult<()>;
}

/// Checks that happen inside the cluster.
#[async_trait]
pub trait KubeChecks: Send + Sync {
    /// Carries out the part of an acceptance check that happens inside the cluster, and says what was seen. The test objects
    /// are removed again. `Err` only when it could not be carried out.
    async fn run_check(&self, ctx: &Context, check: &Check) -> ClientResult<CheckSeen>;
}

/// Everything that can be done with a cluster. Whoever needs one noun takes that; this is their sum, for who hands them on.
pub trait KubeClient:
    KubeAccess
    + KubeNodes
    + KubeSystem
    + KubeJoins
    + KubeToolkits
    + KubeNamespaces
    + KubeSecrets
    + KubeRestarts
    + KubeObjects
    + KubeContent
    + KubeHealth
    + KubeWatch
    + ClusterDns
    + KubeChecks
{
}

impl<T> KubeClient for T where
    T: KubeAccess
        + KubeNodes
        + KubeSystem
        + KubeJoins
        + KubeToolkits
        + KubeNamespaces
        + KubeSecrets
        + KubeRestarts
        + KubeObjects
        + KubeContent
        + KubeHealth
        + KubeWatch
        + ClusterDns
        + KubeChecks
{
}

#[cfg(test)]
mod tests {
    use super::taint_name;

    #[test]
    fn a_taint_is_known_by_key_and_effect() {
        for (taint, name) in
            [("a=b:NoSchedule", "a:NoSchedule"), ("x.com/a:NoExecute", "x.com/a:NoExecute"), ("a=:B", "a:B")]
        {
            assert_eq!(taint_name(taint), name);
        }
    }
}
