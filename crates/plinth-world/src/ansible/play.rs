//! Plays: what is run, on what, and how it ended.

use indexmap::IndexMap;
use plinth_model::NodeName;
use plinth_model::engine::Play;
use plinth_model::run::CommandFailure;
use plinth_model::steps::{HostInputs, KubesprayRelease, NodeTarget, RunInputs};
use serde::{Deserialize, Serialize};

/// A play with everything it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayRun {
    /// Whose playbooks are run.
    pub release: KubesprayRelease,
    /// Which playbook, and on which of the hosts.
    pub play: Play,
    /// Hosts of the written inventory, as the account reaches them.
    pub targets: Vec<NodeTarget>,
    /// What the written files are, in parts; kept when the play succeeds.
    pub inputs: RunInputs,
}

impl PlayRun {
    /// Hosts that must be in the final statistics.
    #[must_use]
    pub fn expected(&self) -> Vec<&NodeName> {
        match &self.play {
            Play::Scale { nodes } => nodes.iter().collect(),
            Play::Remove { nodes, reachable: true } => nodes.iter().collect(),
            Play::Remove { .. } => Vec::new(),
            Play::Recover { .. } => {
                self.targets.iter().map(|target| &target.node).filter(|node| self.guards(node)).collect()
            }
            Play::Cluster | Play::Upgrade | Play::Reset => self.targets.iter().map(|target| &target.node).collect(),
        }
    }

    /// Whether a host is of the control plane or of etcd.
    fn guards(&self, node: &NodeName) -> bool {
        self.inputs.hosts.get(node).is_some_and(HostInputs::is_quorum)
    }

    /// Whether the play goes on without this host when it does not answer.
    #[must_use]
    pub fn spares(&self, node: &NodeName) -> bool {
        matches!(self.play, Play::Recover { .. }) && !self.guards(node)
    }

    /// Whether it succeeded: every expected host is there, and no host at all failed or was lost.
    #[must_use]
    pub fn accepts(&self, stats: &PlayStats) -> bool {
        let missing = |host: &&NodeName| !stats.hosts.contains_key(host.as_str());
        stats.hosts.values().all(HostStats::is_clean) && !self.expected().iter().any(missing)
    }

    /// What is deployed when it has succeeded; none: nothing any more.
    #[must_use]
    pub fn leaves(&self) -> Option<RunInputs> {
        let mut left = self.inputs.clone();
        match &self.play {
            Play::Reset => return None,
            Play::Remove { nodes, .. } => left.hosts.retain(|host, _| !nodes.contains(host)),
            Play::Cluster | Play::Scale { .. } | Play::Upgrade | Play::Recover { .. } => {}
        }
        Some(left)
    }
}

/// Hosts of one play of a playbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayHosts {
    /// Name of the play.
    pub play: String,
    /// Hosts that it touches.
    pub hosts: Vec<String>,
}

/// Final statistics of a playbook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlayStats {
    /// Per host: ok, changed, failures, unreachable.
    pub hosts: IndexMap<String, HostStats>,
    /// What the first failed task of each host said, for people: a few lines each, without secrets.
    pub cards: Vec<String>,
    /// What may help, where the cause is known.
    pub hints: Vec<String>,
    /// How the program ended, when a host failed.
    pub failure: Option<CommandFailure>,
}

/// Statistics of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    /// Tasks ok.
    pub ok: u64,
    /// Tasks that changed something.
    pub changed: u64,
    /// Tasks failed and not ignored.
    pub failures: u64,
    /// Whether it was unreachable.
    pub unreachable: u64,
}

impl HostStats {
    /// Whether nothing went wrong with it.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.failures == 0 && self.unreachable == 0
    }
}
