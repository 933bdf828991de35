//! Nodes of the cluster for many steps at once: one list answers all that ask at the same time.

use futures::lock::{Mutex, MutexGuard};
use indexmap::IndexMap;
use plinth_model::NodeName;
use plinth_world::kube::KubeNode;
use plinth_world::{ClientResult, Clients, Context};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A list of a large cluster costs more than asking for a few of its nodes: it is worth it for one node in this many, at least. A node
/// is some 20 KiB, and so is what comes with a request for one.
const WORTH_A_LIST: usize = 4;

/// What was listed, and whom it may answer.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Who asked so far; each has a number.
    asked: AtomicU64,
    /// Who waits for an answer now.
    waiting: AtomicUsize,
    pub(crate) last: Mutex<Option<Listed>>,
}

/// One list.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Who had asked when it began.
    before: u64,
    nodes: ClientResult<IndexMap<String, KubeNode>>,
}

/// Whoever waits; also one that is dropped while it does waits no more.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Listing {
    /// For a run: a list answers those that asked before it began, so that nobody sees the time before an effect of its own.
    pub(crate) fn shared() -> Self {
        Self::default()
    }

    /// The node, if Kubernetes knows it.
    pub(crate) async fn node(
        &self,
        ctx: &Context,
        clients: &Clients,
        node: &NodeName,
    ) -> ClientResult<Option<KubeNode>> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        let mut last = self.last.lock().await;
        if let Some(listed) = last.as_ref().filter(|listed| listed.before > number) {
            return listed.find(node);
        }
        if !self.is_worth_it(&last) {
            drop(last);
            return clients.kube.node(ctx, node).await;
        }
        let before = self.asked.load(Ordering::Relaxed);
        let nodes = clients.kube.nodes(ctx).await;
        last.insert(Listed { before, nodes }).find(node)
    }

    fn is_worth_it(&self, last: &MutexGuard<'_, Option<Listed>>) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let known = last.as_ref().and_then(|listed| listed.nodes.as_ref().ok()).map_or(0, IndexMap::len);
        waiting > 1 && waiting.saturating_mul(WORTH_A_LIST) >= known
    }
}

impl Listed {
    fn find(&self, node: &NodeName) -> ClientResult<Option<KubeNode>> {
        self.nodes.as_ref().map(|nodes| nodes.get(node.as_str()).cloned()).map_err(Clone::clone)
    }
}
