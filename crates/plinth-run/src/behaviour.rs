//! How a step is looked at and carried out: probe, act, probe again. The behaviours themselves are in `steps`.

use futures::lock::Mutex;
use indexmap::IndexMap;
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::{Finding, NodeName, Step};
use plinth_world::kube::KubeNode;
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Clients, Context};
use std::sync::Arc;

/// Everything a behaviour may use.
#[derive(Clone)]
pub struct StepEnv {
    /// Context of the calls: clock, progress.
    pub ctx: Context,
    /// Clients.
    pub clients: Clients,
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
    pub(crate) listed: Option<ListedNodes>,
}

/// Nodes of the cluster as one list saw them; empty until somebody asked.
pub(crate) type ListedNodes = Arc<Mutex<Option<ClientResult<IndexMap<String, KubeNode>>>>>;

impl StepEnv {
    /// An environment in which each step asks for itself.
    #[must_use]
    pub const fn new(ctx: Context, clients: Clients, secrets: Arc<dyn Secrets>) -> Self {
        Self { ctx, clients, secrets, listed: None }
    }

    /// The same, for a look at many steps in which nothing acts: nodes of the cluster are listed once, for all of them. Not for a run: what
    /// was listed would be stale behind an effect.
    #[must_use]
    pub(crate) fn listing_nodes(self) -> Self {
        Self { listed: Some(ListedNodes::default()), ..self }
    }

    /// The node, if Kubernetes knows it.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn node(&self, node: &NodeName) -> ClientResult<Option<KubeNode>> {
        let Some(listed) = &self.listed else { return self.clients.kube.node(&self.ctx, node).await };
        let mut listed = listed.lock().await;
        let nodes = match &mut *listed {
            Some(nodes) => nodes,
            none => none.insert(self.clients.kube.nodes(&self.ctx).await),
        };
        nodes.as_ref().map(|nodes| nodes.get(node.as_str()).cloned()).map_err(Clone::clone)
    }
}

/// What looking at a step tells.
#[derive(Clone, Debug)]
pub enum Probe {
    /// It is so; one line for people about what was found.
    Done(String),
    /// It is not yet so; the differences, one line each. The step may act.
    Todo(Vec<String>),
    /// It is not so, and acting would be wrong: a clash, a changed host key, a node too small.
    Blocked(Box<Finding>),
}

/// A probe, with the gates it answers.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What was seen.
    pub probe: Probe,
    /// Gates, with their answers.
    pub answers: Vec<(GateId, GateAnswer)>,
    /// What is doubtful although the step is in the desired state: told with its end, kept in the journal, shown by the summary and by
    /// `status`.
    pub notes: Vec<Finding>,
    /// Whether acting makes nothing again: what must happen only once has happened, and only what is kept of it here is incomplete. So a
    /// step marked `once` may act again.
    pub completes: bool,
}

impl Probed {
    /// As one that only completes what is there.
    #[must_use]
    pub fn completing(self) -> Self {
        Self { completes: true, ..self }
    }

    /// With what is doubtful.
    #[must_use]
    pub fn noting(mut self, notes: impl IntoIterator<Item = Finding>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// With answers of gates.
    #[must_use]
    pub fn answering(self, answers: Vec<(GateId, GateAnswer)>) -> Self {
        Self { answers, ..self }
    }
}

impl From<Probe> for Probed {
    fn from(probe: Probe) -> Self {
        Self { probe, answers: Vec::new(), notes: Vec::new(), completes: false }
    }
}

/// Looks, acts. Implemented once, by `steps::Kinds`, which finds the behaviour by kind; a trait so that the executor can be
/// tested with scripted behaviours.
#[async_trait::async_trait]
pub trait Behaviour: Send + Sync {
    /// Looks. Changes nothing.
    async fn probe(&self, step: &Step, env: &StepEnv) -> Result<Probed, ClientError>;
    /// Makes it so; answers one line for people about what was done. The caller probes again afterwards.
    async fn act(&self, step: &Step, env: &StepEnv) -> Result<String, ClientError>;
}
