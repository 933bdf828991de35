//! The Run:ai client: the control plane's REST interface. Source: OpenAPI descriptions in the official client, 2.18 to 2.24.
//! The real one is in `plinth-runai`.

use crate::{ClientResult, Context};
use async_trait::async_trait;
use plinth_model::steps::{OrgUnit, RunaiTarget};

/// A registered cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunaiCluster {
    /// The control plane's own id of it, a UUID.
    pub uuid: String,
    /// `WaitingToConnect`, `Connected`, `Disconnected`, `MissingPrerequisites`, `ServiceIssues`, `Unknown`.
    pub state: String,
    /// Required dependencies that are reported missing.
    pub missing: Vec<String>,
    /// What the cluster part says of itself that is not well: parts that are not ready, conditions that do not hold, with reasons.
    pub unwell: Vec<String>,
    /// When its last report came, as the control plane writes it; none: this release does not say.
    pub reported: Option<String>,
    /// Nodes with GPUs that the control plane sees; none: it does not tell nodes in any way that is known of its release.
    pub gpu_nodes: Option<Vec<String>>,
}

/// A department or a project, as the control plane has it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunaiOrgUnit {
    /// The control plane's own, as text; changes are addressed by it.
    pub id: String,
    /// Name of its department, when it is a project.
    pub department: Option<String>,
    /// Quota of GPUs in the node pool `default`; none: it has none there.
    pub gpus: Option<f64>,
}

/// A project of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunaiProject {
    /// The control plane's own, as text; workloads are addressed by it.
    pub id: String,
    /// Unique in the cluster.
    pub name: String,
}

/// A small training that proves something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunaiTraining {
    /// Name, which no other workload of the project may have.
    pub name: String,
    /// Image with a shell.
    pub image: String,
    /// What the shell is told.
    pub script: String,
    /// Whole GPUs.
    pub gpus: u32,
}

/// A workload, as the control plane has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunaiWorkload {
    /// The control plane's own, as text.
    pub id: String,
    /// `Creating`, `Initializing`, `Pending`, `Running`, `Completed`, `Failed` and more; `Unknown` when nothing is said.
    pub phase: String,
    /// What scheduler and cluster say of it.
    pub said: Vec<String>,
}

/// What plinth asks of a control plane of Run:ai, and what it makes there.
#[async_trait]
pub trait RunaiClient: Send + Sync {
    /// The `issuer` of the discovery document; absent while Keycloak is not up.
    async fn issuer(&self, ctx: &Context, target: &RunaiTarget) -> ClientResult<Option<String>>;
    /// Whether the control plane that plinth installs is up: its realm is there, its administrator is let in, and it lists clusters.
    /// While it may still become so, the error is transient, whatever the answer: realm, administrator and interface come one after
    /// the other. Until a cluster was registered once, and while the control plane `is_new`, a refused login is no final answer either; it
    /// is asked again at a pace that locks no account.
    async fn up(&self, ctx: &Context, target: &RunaiTarget, is_new: bool) -> ClientResult<()>;
    /// All clusters whose name is exactly the target's. More than one is possible: the API has no conflict for it.
    async fn clusters(&self, ctx: &Context, target: &RunaiTarget) -> ClientResult<Vec<RunaiCluster>>;
    /// Registers the cluster. **Not** harmless to repeat: it makes a second entry.
    async fn register(&self, ctx: &Context, target: &RunaiTarget) -> ClientResult<RunaiCluster>;
    /// Reads the cluster's credential and keeps it, and its id, as the generated secrets that `ClusterCredential::kept` and
    /// `cluster_uid` of the model name. A credential of the other kind that was kept is forgotten, since both would reach the chart. Answers
    /// where the control plane says that the charts of the cluster part are, if it does. Harmless to repeat.
    async fn keep_credentials(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<Option<String>>;
    /// Whether those are kept, and serve: a token for the first contact that is over serves only a cluster that was there already.
    async fn credentials_kept(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<bool>;
    /// The department or project of exactly that name in this cluster, whatever its department and quota.
    async fn org_unit(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        uuid: &str,
        unit: &OrgUnit,
    ) -> ClientResult<Option<RunaiOrgUnit>>;
    /// Makes it, with its quota. Harmless to repeat: a name that is used is answered with what is there.
    async fn make_org_unit(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        uuid: &str,
        unit: &OrgUnit,
    ) -> ClientResult<RunaiOrgUnit>;
    /// Sets the quota of GPUs of one that is there, and nothing else of it. Harmless to repeat.
    async fn set_quota(&self, ctx: &Context, target: &RunaiTarget, uuid: &str, unit: &OrgUnit) -> ClientResult<()>;
    /// Projects of this cluster, by name.
    async fn projects(&self, ctx: &Context, target: &RunaiTarget, uuid: &str) -> ClientResult<Vec<RunaiProject>>;
    /// Starts a training in a project. A name that is used is refused; a training that ends is removed by Run:ai itself a minute later.
    async fn start_training(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        (uuid, project): (&str, &str),
        training: &RunaiTraining,
    ) -> ClientResult<RunaiWorkload>;
    /// Workloads of exactly this name in a project.
    async fn workloads(
        &self,
        ctx: &Context,
        target: &RunaiTarget,
        project: &str,
        name: &str,
    ) -> ClientResult<Vec<RunaiWorkload>>;
    /// The workload of this id, with what is said of it; none: it is gone.
    async fn workload(&self, ctx: &Context, target: &RunaiTarget, id: &str) -> ClientResult<Option<RunaiWorkload>>;
    /// Asks for the removal of a training. Harmless to repeat, and for one that is gone.
    async fn remove_training(&self, ctx: &Context, target: &RunaiTarget, id: &str) -> ClientResult<()>;
}
