//! What one look was told and several of its steps want: each is asked for once. What checking the nodes told right before the look is
//! not asked again either. Nothing acts in between, and no run has it: what was told would be stale behind an effect
//! (docs/decisions/0031-what-counts-as-fresh.md).

use futures::lock::Mutex;
use indexmap::IndexMap;
use plinth_model::facts::{Asked, NodeFacts};
use plinth_model::steps::NodeTarget;
use plinth_model::{EngineRecord, NodeName};
use plinth_world::kube::KubeNode;
use plinth_world::node::{ControlPlane, HostKeyState};
use plinth_world::{ClientResult, deadlines};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// What a node that was checked told, beside its facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The login that answered: the service account's, or the first-contact one.
    pub login: NodeTarget,
    /// Everything that it was asked; a later question may want less of it.
    pub asked: Asked,
    /// Its host key; one that was pinned on first contact counts as pinned.
    pub host_key: HostKeyState,
    /// When: [`plinth_world::Clock::elapsed`].
    pub at: Duration,
}

/// Nodes that were checked right before a look.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Those that answered.
    pub told: BTreeMap<NodeName, Told>,
    /// Facts, of these and perhaps of others; those of others are never taken for fresh.
    pub facts: Arc<BTreeMap<NodeName, NodeFacts>>,
}

impl Checked {
    /// The host key that a node showed, at this address and on this way.
    fn host_key(&self, target: &NodeTarget, now: Duration) -> Option<HostKeyState> {
        let told = self.told.get(&target.node).filter(|told| told.is_fresh(now))?;
        told.is_reached_like(target).then(|| told.host_key.clone())
    }

    /// What a node told, if this very login was asked for all of this.
    fn facts(&self, target: &NodeTarget, asked: &Asked, now: Duration) -> Option<NodeFacts> {
        let told = self.told.get(&target.node).filter(|told| told.is_fresh(now))?;
        let fits = told.login == *target && told.was_asked(asked);
        fits.then(|| self.facts.get(&target.node).cloned()).flatten()
    }

    /// When the oldest of what a look at this node may rest on was told; none: it was not checked.
    pub(crate) fn at(&self, node: &NodeName) -> Option<Duration> {
        self.told.get(node).map(|told| told.at)
    }
}

impl Told {
    fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.at) <= deadlines::LOOK_HOLDS
    }

    fn is_reached_like(&self, target: &NodeTarget) -> bool {
        let NodeTarget { node, address, port, jump, legacy_keys, .. } = &self.login;
        (node, address, port, jump, legacy_keys)
            == (&target.node, &target.address, &target.port, &target.jump, &target.legacy_keys)
    }

    /// Names and addresses may have been asked for beside those that are wanted now.
    fn was_asked(&self, wanted: &Asked) -> bool {
        let Asked { paths, images, names, urls } = wanted;
        let has = |all: &[String], some: &[String]| some.iter().all(|one| all.contains(one));
        self.asked.paths == *paths
            && self.asked.images == *images
            && has(&self.asked.names, names)
            && has(&self.asked.urls, urls)
    }
}

type Cell<T> = Arc<Mutex<Option<T>>>;

/// Nodes of the cluster by name, as one list saw them.
pub(crate) type Listed = Arc<IndexMap<String, KubeNode>>;

/// What runs on the nodes by the site's record; none was kept.
pub(crate) type Recorded = Arc<Option<EngineRecord>>;

/// Answers that the steps of one look share.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    checked: Checked,
    record: Mutex<Option<Recorded>>,
    nodes: Mutex<Option<ClientResult<Listed>>>,
    control_planes: std::sync::Mutex<BTreeMap<NodeName, Cell<(NodeTarget, ControlPlane)>>>,
}

impl Answers {
    /// None yet, but for what checking the nodes told.
    pub(crate) fn beside(checked: Checked) -> Self {
        Self { checked, ..Self::default() }
    }

    /// See [`Checked`].
    pub(crate) fn host_key(&self, target: &NodeTarget, now: Duration) -> Option<HostKeyState> {
        self.checked.host_key(target, now)
    }

    /// See [`Checked`].
    pub(crate) fn facts(&self, target: &NodeTarget, asked: &Asked, now: Duration) -> Option<NodeFacts> {
        self.checked.facts(target, asked, now)
    }

    /// The site's record. It names every host, so reading it for each of them would take the square of their number.
    pub(crate) async fn record(&self, read: impl Future<Output = ClientResult<Recorded>>) -> ClientResult<Recorded> {
        let mut record = self.record.lock().await;
        match &*record {
            Some(known) => Ok(Arc::clone(known)),
            None => Ok(Arc::clone(record.insert(read.await?))),
        }
    }

    /// The nodes of the cluster. A refusal is shared as well: each further step would wait for its own deadline.
    pub(crate) async fn nodes(&self, list: impl Future<Output = ClientResult<Listed>>) -> ClientResult<Listed> {
        let mut nodes = self.nodes.lock().await;
        match &*nodes {
            Some(known) => known.clone(),
            None => nodes.insert(list.await).clone(),
        }
    }

    /// What a node tells of the control plane. A failure is not shared: the next step asks for itself.
    pub(crate) async fn control_plane(
        &self,
        target: &NodeTarget,
        ask: impl Future<Output = ClientResult<ControlPlane>>,
    ) -> ClientResult<ControlPlane> {
        let cell = self.cell(&target.node);
        let mut told = cell.lock().await;
        if let Some((_, known)) = told.as_ref().filter(|(login, _)| login == target) {
            return Ok(known.clone());
        }
        let known = ask.await?;
        *told = Some((target.clone(), known.clone()));
        Ok(known)
    }

    fn cell(&self, node: &NodeName) -> Cell<(NodeTarget, ControlPlane)> {
        let mut cells = self.control_planes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(node.clone()).or_default())
    }
}
