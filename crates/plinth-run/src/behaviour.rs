//! How a step is looked at and carried out: probe, act, probe again. The behaviours themselves are in `steps`.

use crate::answers::{Answers, Checked, Listed, Recorded};
use crate::listing::Listing;
use jiff::Timestamp;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::gate::{GateAnswer, GateId};
use plinth_model::steps::NodeTarget;
use plinth_model::{Finding, NodeName, Step};
use plinth_world::kube::KubeNode;
use plinth_world::node::{ControlPlane, HostKeyState};
use plinth_world::secrets::Secrets;
use plinth_world::{ClientError, ClientResult, Clients, Context};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything a behaviour may use.
#[derive(Clone)]
pub struct StepEnv {
    /// Context of the calls: clock, progress.
    pub ctx: Context,
    /// The only way to every foreign system; real or simulated.
    pub clients: Clients,
    /// Where references of a step become values.
    pub secrets: Arc<dyn Secrets>,
    /// What the steps of a look share; none in a run.
    pub(crate) answers: Option<Arc<Answers>>,
    /// What the steps of a run that ask at the same time share; none in a look.
    pub(crate) listing: Option<Arc<Listing>>,
}

impl StepEnv {
    /// An environment in which each step asks for itself.
    #[must_use]
    pub const fn new(ctx: Context, clients: Clients, secrets: Arc<dyn Secrets>) -> Self {
        Self { ctx, clients, secrets, answers: None, listing: None }
    }

    /// The same, for a look at many steps in which nothing acts: what several of them want is asked for once, and what checking the nodes
    /// told a moment ago not at all. Not for a run: what was told would be stale behind an effect.
    #[must_use]
    pub(crate) fn sharing(self, checked: Checked) -> Self {
        Self { answers: Some(Arc::new(Answers::beside(checked))), ..self }
    }

    /// The same, for a run: steps that ask for a node at the same time are answered by one list.
    #[must_use]
    pub fn sharing_nodes(self) -> Self {
        Self { listing: Some(Arc::new(Listing::shared())), ..self }
    }

    /// What runs on the nodes by the site's record.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn record(&self) -> ClientResult<Recorded> {
        let read = async { self.clients.records.record(&self.ctx).await.map(Arc::new) };
        match &self.answers {
            None => read.await,
            Some(answers) => answers.record(read).await,
        }
    }

    /// The node, if Kubernetes knows it.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn node(&self, node: &NodeName) -> ClientResult<Option<KubeNode>> {
        match &self.answers {
            Some(answers) => Ok(answers.nodes(self.list()).await?.get(node.as_str()).cloned()),
            None => match &self.listing {
                Some(listing) => listing.node(&self.ctx, &self.clients, node).await,
                None => self.clients.kube.node(&self.ctx, node).await,
            },
        }
    }

    /// All nodes that Kubernetes knows.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub(crate) async fn nodes(&self) -> ClientResult<Listed> {
        match &self.answers {
            None => self.list().await,
            Some(answers) => answers.nodes(self.list()).await,
        }
    }

    async fn list(&self) -> ClientResult<Listed> {
        self.clients.kube.nodes(&self.ctx).await.map(Arc::new)
    }

    /// The host key that a node shows, beside the pinned one.
    pub(crate) async fn host_key(&self, target: &NodeTarget) -> ClientResult<HostKeyState> {
        let now = self.ctx.clock().elapsed();
        match self.answers.as_ref().and_then(|answers| answers.host_key(target, now)) {
            Some(state) => Ok(state),
            None => self.clients.node.host_key(&self.ctx, target).await,
        }
    }

    pub(crate) async fn facts(&self, target: &NodeTarget, asked: &Asked) -> ClientResult<NodeFacts> {
        let now = self.ctx.clock().elapsed();
        match self.answers.as_ref().and_then(|answers| answers.facts(target, asked, now)) {
            Some(facts) => Ok(facts),
            None => self.clients.node.facts(&self.ctx, target, asked).await,
        }
    }

    /// What a node tells of the control plane, of kubelet and of containerd.
    pub(crate) async fn control_plane(&self, target: &NodeTarget) -> ClientResult<ControlPlane> {
        let ask = self.clients.node.control_plane(&self.ctx, target);
        match &self.answers {
            None => ask.await,
            Some(answers) => answers.control_plane(target, ask).await,
        }
    }
}

/// What looking at a step tells.
#[derive(Clone, Debug)]
pub enum Probe {
    /// It is in the desired state; one line for people about what was found.
    Done(String),
    /// Something is to do: the differences, one line each. The step may act.
    Todo(Vec<String>),
    /// It is not so, and acting would be wrong: a clash, a changed host key, a node too small.
    Blocked(Box<Finding>),
}

/// A probe, with the gates it answers.
#[derive(Clone, Debug)]
pub struct Probed {
    /// What was seen.
    pub probe: Probe,
    /// Gates that it opens, each with the answer; empty for most kinds.
    pub answers: Vec<(GateId, GateAnswer)>,
    /// What is doubtful although the step is in the desired state: told with its end, kept in the journal, shown by the summary and by
    /// `status`.
    pub notes: Vec<Finding>,
    /// Why a step marked `once` may act although it is recorded as done; says nothing about others.
    pub again: Again,
    /// What the node told of itself, where the step asked: names and values for people. It goes with the end of the step, however that is.
    pub facts: BTreeMap<String, String>,
}

/// Why what must happen only once may be done although it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// It may not: what it made may be there where nobody sees it.
    #[default]
    No,
    /// What it made is there, and only what is kept of it here is incomplete.
    Completes,
    /// What it belongs to was installed at that time; whatever was made earlier is gone.
    Since(Timestamp),
}

impl Again {
    /// Whether it may, when it was last done at that time.
    #[must_use]
    pub fn may(self, done: Timestamp) -> bool {
        match self {
            Self::No => false,
            Self::Completes => true,
            Self::Since(made) => made > done,
        }
    }
}

impl Probed {
    /// The same, for a step of which only what is kept here has to be completed.
    #[must_use]
    pub fn completing(self) -> Self {
        Self { again: Again::Completes, ..self }
    }

    /// The same, where what it is made in is there since then.
    #[must_use]
    pub fn since(self, made: Timestamp) -> Self {
        Self { again: Again::Since(made), ..self }
    }

    /// The same, with findings of a step that is in the desired state all the same.
    #[must_use]
    pub fn noting(mut self, notes: impl IntoIterator<Item = Finding>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// The same, with what the node told of itself.
    #[must_use]
    pub fn told(self, facts: BTreeMap<String, String>) -> Self {
        Self { facts, ..self }
    }

    /// The same, with the gates that it opens, each with its answer.
    #[must_use]
    pub fn answering(self, answers: Vec<(GateId, GateAnswer)>) -> Self {
        Self { answers, ..self }
    }
}

impl From<Probe> for Probed {
    fn from(probe: Probe) -> Self {
        Self { probe, answers: Vec::new(), notes: Vec::new(), again: Again::No, facts: BTreeMap::new() }
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
